"""Grey values of any depth and range -> an 8-bit RGB image, whose range a few stray pixels do not decide."""

from __future__ import annotations

import numpy as np
from PIL import Image

# The shares and gaps below are our choice; docs/decisions/0009-grey-range-of-deep-images.md gives the reasons.
STRAY_SHARE = 0.001  # of all pixels: more than these are no strays
STRAY_GAP = 0.02  # of the range of the other values: a stray lies farther from them
ONE_STRAY_FROM = 64  # pixels: in a smaller image every pixel counts
LABEL_SHARE = 0.1  # of all pixels: a label that is burnt in covers less
LABEL_EDGE_SHARE = 0.01  # of all pixels: the smooth edge of its letters
LABEL_LEVELS = 8  # an image of fewer values is a drawing, and its highest value is as good as the others
LEAST_BITS = 8


def stretched(values: np.ndarray, *, inverted: bool = False, data: np.ndarray | None = None) -> Image.Image:
    """Stretch `values` (rows, columns) from the ends of their `span` to 0 and 255; `inverted`: the lowest is white.

    Values that are not finite, or not `data` (bool, rows and columns), are black. A constant image is black too: its
    level says nothing about a body.
    """
    counted = np.isfinite(values) if data is None else np.isfinite(values) & data
    share = shares(values, counted)
    return shown(share, inverted=inverted and bool(share.any()), data=counted)


def shares(values: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return where `values` lie in the `span` of those that are `data` (bool, same shape): 0 its low end, 1 its high.

    What lies outside the span is below 0 or above 1; what is not `data`, and all of a constant image, is 0.
    """
    low, high = span(values[data]) if data.any() else (0.0, 0.0)
    if high <= low:
        return np.zeros(values.shape)
    # float64: the differences of 32-bit integers do not fit float32.
    return (np.where(data, values, low).astype(np.float64) - low) / (high - low)


def shown(share: np.ndarray, *, inverted: bool = False, data: np.ndarray | None = None) -> Image.Image:
    """Return `share` (rows, columns, perhaps three colours) as 8-bit RGB: 0 and less is black, 1 and more white.

    `inverted` turns black and white, but what is not `data` (bool, rows and columns) is black either way.
    """
    cut = np.clip(share, 0.0, 1.0)
    turned = 1.0 - cut if inverted else cut
    if data is not None:
        turned = np.where(data.reshape(*data.shape, *[1] * (share.ndim - 2)), turned, 0.0)
    return Image.fromarray(np.round(turned * 255).astype(np.uint8)).convert("RGB")


def span(values: np.ndarray) -> tuple[float, float]:
    """Return the lowest and the highest of the finite `values` (any shape, not empty) that are no strays and no label.

    Strays are few pixels (at most STRAY_SHARE of them, and one in any image that is not tiny) across a gap from all
    others. A label is one extreme value that few pixels share (at most LABEL_SHARE) and that leaves less than half of
    the greys to all others. Everything else counts, so an image without them spans its minimum to its maximum.
    """
    levels, counts = _histogram(values)
    first, last = 0, len(levels) - 1
    while True:
        before = first, last
        last = _highest(levels, counts, float(levels[first]))
        first = len(levels) - 1 - _highest(-levels[::-1], counts[::-1], -float(levels[last]))
        # Again where one moved: with a dead pixel gone, the gap to a hot one is large.
        if before == (first, last):
            return float(levels[first]), float(levels[last])


def depth(values: np.ndarray) -> int:
    """Return the bits that the highest of the unsigned `values` in their span needs, at least LEAST_BITS."""
    return max(LEAST_BITS, int(span(values)[1]).bit_length())


def _histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values, ascending, as float64, and how many pixels have each."""
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        low = int(values.min())
        counts = np.bincount(values.ravel().astype(np.int64) - low)
        present = np.flatnonzero(counts)
        return (present + low).astype(np.float64), counts[present]
    levels, counts = np.unique(values, return_counts=True)
    return levels.astype(np.float64), counts


def _highest(levels: np.ndarray, counts: np.ndarray, low: float) -> int:
    """Return the index of the highest level that is no stray and no label, where `low` is the lowest that counts."""
    total, last = int(counts.sum()), len(levels) - 1
    few = max(int(total * STRAY_SHARE), int(total >= ONE_STRAY_FROM))
    highest = _without_strays(levels, counts, last, few, low)
    if last > 0 and counts[last] <= LABEL_SHARE * total:
        edge = min(int(counts[last]), int(LABEL_EDGE_SHARE * total))
        rest = _without_strays(levels, counts, last - 1, max(few, edge), low)
        others = int((levels[: rest + 1] >= low).sum())
        if others >= LABEL_LEVELS and levels[last] - low > 2 * (levels[rest] - low):
            return min(highest, rest)
    return highest


def _without_strays(levels: np.ndarray, counts: np.ndarray, last: int, few: int, low: float) -> int:
    """Return the lowest index above which at most `few` pixels lie up to `last`, the next one across a gap."""
    above = np.cumsum(counts[: last + 1][::-1])[::-1] - counts[: last + 1]
    ranges, gaps = levels[:last] - low, np.diff(levels[: last + 1])
    strays = (above[:last] <= few) & (ranges > 0) & (gaps > STRAY_GAP * ranges)
    return int(np.argmax(strays)) if strays.any() else last
