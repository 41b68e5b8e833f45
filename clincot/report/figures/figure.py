"""A figure of a run -> its files for papers: PNG, SVG and a CSV of its numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clincot.report.figures.drawing import Drawing, sheet
from clincot.report.figures.png import png
from clincot.report.figures.svg import paper_svg

Cell = str | int | float | None


@dataclass(frozen=True)
class Figure:
    """Panels with their numbers; `name` is that of its files, `notes` say in sentences what is counted."""

    name: str
    title: str
    notes: tuple[str, ...]
    panels: tuple[Drawing, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def files(self) -> Mapping[str, bytes]:
        """Return name -> content of its files."""
        whole = sheet(self.title, self.panels)
        return {
            f"{self.name}.png": png(whole),
            f"{self.name}.svg": paper_svg(whole, self.title).encode(),
            f"{self.name}.csv": self.csv().encode(),
        }

    def csv(self) -> str:
        """Return the numbers, exactly as they are; a text that a spreadsheet would compute begins with a quote."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows([_safe(cell) for cell in row] for row in self.rows)
        return text.getvalue()


@dataclass(frozen=True)
class Missing:
    """A figure that cannot be drawn: why, and the command that changes it ("" where none does)."""

    title: str
    reason: str
    command: str = ""


@dataclass(frozen=True)
class Shown:
    """A part of the page that is HTML already, such as chains with their images; it has no file of numbers."""

    title: str
    html: str


Section = Figure | Missing | Shown


def counted(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """Return how many values each bin holds, half-open but for the last; all values lie within the edges."""
    import numpy as np

    counts: list[int] = np.histogram(values, bins=edges)[0].tolist()
    return counts


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
