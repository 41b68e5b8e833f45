"""Boxes in shares of an image -> heat maps of two values, for the proposers that look with no model."""

from __future__ import annotations

import numpy as np

from clincot.regions.base import HeatMap

CELLS = 48  # cells a side: divisible by 2, 3, 4 and 6, so that usual grids fall on their borders
IGNORANT = 0.5  # the confidence of a proposer that does not look at the image


def box_map(hypothesis: str, left: float, upper: float, right: float, lower: float) -> HeatMap:
    """Return 1 inside the box, 0 outside; edges are shares of width and height, rounded to 1/48, at least one cell."""
    columns, rows = _cells(left, right), _cells(upper, lower)
    values = np.zeros((CELLS, CELLS), np.float32)
    values[rows, columns] = 1.0
    return HeatMap(hypothesis, values, IGNORANT)


def _cells(start: float, end: float) -> slice:
    first = min(round(start * CELLS), CELLS - 1)
    return slice(first, max(round(end * CELLS), first + 1))
