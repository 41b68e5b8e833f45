"""The box that a policy wrote and the image's size -> the square crop that UV-CoT shows, in pixels of the image."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clincot.records import Box

NUMBER = re.compile(r"(?:(?<![\d.])-)?\d*\.\d+")  # UV-CoT's code reads decimals alone; the sign is ours
MIDDLE = (0.25, 0.25, 0.75, 0.75)  # UV-CoT's code: what a text without four decimals counts as
Relative = tuple[float, float, float, float]


@dataclass(frozen=True)
class Written:
    """The crop of a text; `read`: the text held a box. `inside`: all of that box was on the image."""

    crop: Box
    read: bool
    inside: bool


def box_of(text: str, size: tuple[int, int], least_side: int) -> Written:
    """Return the crop of the first four decimals of a text: left, upper, right, lower of the padded square.

    The square is the image in the middle of the shorter side's padding, as LLaVA pads it. The crop is a square around
    the box's centre, as large as the box's longer side and `least_side` pixels at least, as far as the image reaches.
    """
    found = [float(number) for number in NUMBER.findall(text)[:4]]
    read = len(found) == 4
    box = _pixels((found[0], found[1], found[2], found[3]) if read else MIDDLE, size)
    clamped = tuple(min(max(value, 0.0), float(size[i % 2])) for i, value in enumerate(box))
    return Written(_around(clamped, size, least_side), read, read and clamped == box)


def _pixels(shares: Relative, size: tuple[int, int]) -> tuple[float, ...]:
    """Return left, upper, right and lower in pixels of the image; those of the padding lie outside of it."""
    side = max(size)
    offsets = tuple((side - length) / 2 for length in size)
    (left, right), (upper, lower) = sorted(shares[::2]), sorted(shares[1::2])
    return tuple(share * side - offsets[i % 2] for i, share in enumerate((left, upper, right, lower)))


def _around(box: tuple[float, ...], size: tuple[int, int], least_side: int) -> Box:
    left, upper, right, lower = box
    half = max(right - left, lower - upper, least_side) / 2
    spans = []
    for centre, length in (((left + right) / 2, size[0]), ((upper + lower) / 2, size[1])):
        start = min(max(0, round(centre - half)), length - 1)
        spans.append((start, max(start + 1, min(length, round(centre + half)))))
    return Box(spans[0][0], spans[1][0], spans[0][1], spans[1][1])
