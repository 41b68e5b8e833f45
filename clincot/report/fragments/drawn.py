"""An image, and boxes or a heat map on it -> the image with outlines, or with the map laid over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from PIL import Image, ImageDraw

from clincot.records import Box

COLOURS = ((255, 176, 0), (53, 196, 106), (255, 107, 94), (90, 160, 255))
MOST = 0.7  # share of the map's colour where the map is highest


class Placed(Protocol):
    """A named box."""

    @property
    def hypothesis(self) -> str: ...

    @property
    def box(self) -> Box: ...


def colour_of(place: int) -> tuple[int, int, int]:
    """Return the colour of the outline at this place of a list."""
    return COLOURS[place % len(COLOURS)]


def outlined(image: Image.Image, placed: Sequence[Placed], scale: float, *, names: bool = False) -> Image.Image:
    """Return the image (RGB), `scale` times as large, with one outline for each box.

    Each outline has its number, from 1 on; with `names` the hypothesis instead.
    """
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return outlines(image.resize(size, Image.Resampling.BICUBIC), placed, scale, names=names)


def outlines(shown: Image.Image, placed: Sequence[Placed], scale: float, *, names: bool = False) -> Image.Image:
    """Draw the outlines on an image that is `scale` times as large as the boxes say, and return it."""
    draw = ImageDraw.Draw(shown)
    for place, one in enumerate(placed):
        left, upper, right, lower = (round(edge * scale) for edge in one.box)
        box = (left, upper, max(left, right - 1), max(upper, lower - 1))  # half-open; a line has both ends
        draw.rectangle(box, outline=colour_of(place), width=3)
        said = one.hypothesis if names else str(place + 1)
        draw.text((left + 6, upper + 4), said, fill=colour_of(place), stroke_width=1, stroke_fill="black")
    return shown


def heated(image: Image.Image, values: np.ndarray, scale: float) -> Image.Image:
    """Return the image (RGB), `scale` times as large, with a heat map over it: the warmer, the higher.

    `values` (rows, columns) of any grid span the whole image. They are scaled to the lowest and highest of this map;
    values that are not finite count as the lowest, and a constant map leaves the image as it is.
    """
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    pixels = np.asarray(image.convert("L").convert("RGB").resize(size, Image.Resampling.BICUBIC), np.float32)
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
    if high <= low:
        return Image.fromarray(pixels.astype(np.uint8))
    filled = np.where(finite, values, low).astype(np.float32)
    levels = np.clip((cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR) - low) / (high - low), 0, 1)
    # Inferno's order survives in greyscale and for readers who do not tell red from green.
    colours = cv2.applyColorMap((levels * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.float32)
    share = (MOST * levels)[..., None]
    return Image.fromarray((pixels * (1 - share) + colours * share).round().astype(np.uint8))
