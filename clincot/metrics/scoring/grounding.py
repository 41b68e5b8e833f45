"""A predicted box and the true boxes or mask -> whether it points at the lesion, IoU, and the lesion pixels inside.

All areas are pixels of half-open boxes (left, upper, right, lower). Several true boxes are one region: their union.
An example without any true pixel does not count; a predicted box that is missing or empty counts as a miss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from clincot.errors import ClincotError, DataError, did_you_mean
from clincot.metrics.base import Score
from clincot.records import Box


@dataclass(frozen=True)
class Areas:
    """Pixels of the predicted box, of the true region and of both; `centre_hit`: the box's centre is in the region."""

    predicted: int
    true: int
    both: int
    centre_hit: bool


def _box(values: Sequence[int], what: str) -> Box:
    if len(values) != 4:
        raise DataError(f"{what}: {list(values)[:6]} is not a box. Give left, upper, right, lower in pixels.")
    return Box(*map(int, values))


def _area(box: Box) -> int:
    return max(0, box.right - box.left) * max(0, box.lower - box.upper)


def _meet(one: Box, other: Box) -> Box:
    left, upper = max(one.left, other.left), max(one.upper, other.upper)
    return Box(left, upper, min(one.right, other.right), min(one.lower, other.lower))


def _union(boxes: Sequence[Box]) -> int:
    """Pixels covered by any of `boxes`, counted over the grid of their edges: no image size is needed."""
    columns = sorted({x for box in boxes for x in (box.left, box.right)})
    total = 0
    for left, right in pairwise(columns):
        spans = sorted((box.upper, box.lower) for box in boxes if box.left <= left and right <= box.right)
        covered, reach = 0, None
        for upper, lower in spans:
            start = upper if reach is None else max(upper, reach)
            covered += max(0, lower - start)
            reach = lower if reach is None else max(reach, lower)
        total += covered * (right - left)
    return total


def against_boxes(prediction: Sequence[int], truth: Sequence[Sequence[int]]) -> Areas:
    """Compare a box with the union of `truth`."""
    true = [box for box in (_box(values, "true box") for values in truth) if _area(box)]
    if not len(prediction):
        return Areas(0, _union(true), 0, False)
    box = _box(prediction, "predicted box")
    parts = [
        part for part in (_meet(box, other) for other in true) if part.right > part.left and part.lower > part.upper
    ]
    x, y = (box.left + box.right) / 2, (box.upper + box.lower) / 2
    hit = any(t.left <= x < t.right and t.upper <= y < t.lower for t in true) and _area(box) > 0
    return Areas(_area(box), _union(true), _union(parts), hit)


def against_mask(prediction: Sequence[int], truth: Any) -> Areas:
    """Compare a box with a mask (height, width), true where not 0; the box is clipped to the mask's image."""
    mask = np.asarray(truth) != 0
    if mask.ndim != 2:
        raise DataError(f"true mask: {mask.ndim} dimensions. Give rows of pixels, (height, width).")
    if not len(prediction):
        return Areas(0, int(mask.sum()), 0, False)
    box = _meet(_box(prediction, "predicted box"), Box(0, 0, mask.shape[1], mask.shape[0]))
    if not _area(box):
        return Areas(0, int(mask.sum()), 0, False)
    inside = mask[box.upper : box.lower, box.left : box.right]
    x, y = (box.left + box.right) // 2, (box.upper + box.lower) // 2
    return Areas(_area(box), int(mask.sum()), int(inside.sum()), bool(mask[y, x]))


TRUTHS: dict[str, Callable[[Any, Any], Areas]] = {"boxes": against_boxes, "mask": against_mask}


def _terms(prediction: Any, gold: Any, truth: str, share: Callable[[Areas], float]) -> tuple[float, float]:
    areas = TRUTHS[truth](prediction, gold)
    return (float(share(areas)), 1.0) if areas.true else (0.0, 0.0)


def _mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / np.maximum(sums[..., 1], 1.0)


def _score(share: Callable[[Areas], float], truth: str = "boxes") -> Score:
    if truth not in TRUTHS:
        raise ClincotError(f"truth {truth!r}: is not known.{did_you_mean(truth, TRUTHS)}")
    return Score(partial(_terms, truth=truth, share=share), _mean)


pointing_game = partial(_score, lambda areas: areas.centre_hit)
region_iou = partial(_score, lambda areas: areas.both / (areas.predicted + areas.true - areas.both))
lesion_share = partial(_score, lambda areas: areas.both / areas.true)
