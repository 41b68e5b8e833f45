"""Any image and its n-th hypothesis -> the n-th cell of a fixed grid: a control whose regions differ and cover all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clincot.regions._drawn import box_map
from clincot.regions.base import HeatMap, Subject

ROWS, COLUMNS = 2, 3  # six cells for the six hypotheses of an image (docs/methods.md#hypotheses)


class Grid:
    """Cells in reading order, taken by a hypothesis's place in its image's list; the seventh begins again."""

    name = "grid"
    known: tuple[str, ...] | None = None

    def __init__(self, key: str) -> None:
        self.key = key

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None, *, key: str | None = None) -> Grid:
        """Need no folder; `key` defaults to what the cells depend on."""
        return cls(key or f"grid-{ROWS}x{COLUMNS}")

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Return one cell per hypothesis, with confidence 0.5."""
        return [
            [_cell(name, place % (ROWS * COLUMNS)) for place, name in enumerate(wanted)]
            for _, wanted in zip(subjects, hypotheses, strict=True)
        ]


def _cell(name: str, place: int) -> HeatMap:
    row, column = divmod(place, COLUMNS)
    return box_map(name, column / COLUMNS, row / ROWS, (column + 1) / COLUMNS, (row + 1) / ROWS)
