"""Lineages of a run's datasets, adapters and results -> a figure of what was made from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clincot.records.lineage import Lineage
from clincot.report.figures.drawing import Area, Drawing, Label, Line, Shape
from clincot.report.figures.figure import Cell, Figure

WIDE, ACROSS = 220.0, 268.0
LINE, ROOM = 14.0, 30.0  # height of a line of a node, and the gap between two rows, in which arrows turn
COLUMNS = {"build-data": 1, "train": 2, "evaluate": 3}
LONGEST = 38  # letters of a line of a node
STAGES = {"build-data": "preferences", "train": "adapter", "evaluate": "results"}


@dataclass(frozen=True)
class Made:
    """A release: its tag, its lineage, and the short form of its content."""

    repo: str
    tag: str
    lineage: Lineage
    content: str

    @property
    def name(self) -> str:
        return f"{self.repo.rpartition('/')[2]} {self.tag}"


def lineage_figure(made: Sequence[Made]) -> Figure:
    """Draw a row for each round: pairs, adapter, results; arrows lead from what was read to what was made from it.

    What came from outside is named in the box that it was read for; the table has all of it.
    """
    grid = _grid(made)
    shapes = [shape for one in made for shape in _node(grid[one.name], _lines(one))]
    base = next((one.lineage.pins["policy"].repo for one in made if "policy" in one.lineage.pins), "")
    first = min(made, key=lambda one: (one.lineage.round, COLUMNS[one.lineage.stage]))
    if base and first.lineage.stage != "evaluate":
        start = _Box(_left(0), grid[first.name].y, grid[first.name].high)
        shapes += [*_node(start, ["base", base]), *_arrow(start, grid[first.name])]
    for one in made:
        for own in one.lineage.own.values():
            if (name := f"{own.name} {own.tag}") in grid:
                shapes += _arrow(grid[name], grid[one.name])
    width = max(box.x for box in grid.values()) + WIDE + 12
    height = max(box.y + box.high for box in grid.values()) + 12
    notes = ("An arrow leads from what was read to what was made from it; the newest version of each round is shown.",)
    header = ("from", "to", "role", "commit or content")
    drawing = Drawing(width, height, tuple(shapes))
    return Figure("lineage", "Lineage", notes, (drawing,), header, tuple(_edges(made)))


@dataclass(frozen=True)
class _Box:
    """Where a node lies: its left upper corner and its height."""

    x: float
    y: float
    high: float


def _grid(made: Sequence[Made]) -> dict[str, _Box]:
    found: dict[str, _Box] = {}
    y = 12.0
    for round_ in sorted({one.lineage.round for one in made}):
        row = [one for one in made if one.lineage.round == round_]
        high = max(len(_lines(one)) for one in row) * LINE + 12
        found |= {one.name: _Box(_left(COLUMNS[one.lineage.stage]), y, high) for one in row}
        y += high + ROOM
    return found


def _left(column: int) -> float:
    return 12 + ACROSS * column


def _lines(one: Made) -> list[str]:
    pins = (f"{role} {pin.repo}" for role, pin in one.lineage.pins.items() if one.lineage.stage == "build-data")
    return [one.name, f"{STAGES[one.lineage.stage]}, content {one.content[:12]}", *pins]


def _edges(made: Sequence[Made]) -> list[tuple[Cell, ...]]:
    return [
        *((pin.repo, one.name, role, pin.sha) for one in made for role, pin in one.lineage.pins.items()),
        *(
            (f"{own.name} {own.tag}", one.name, role, own.content)
            for one in made
            for role, own in one.lineage.own.items()
        ),
    ]


def _node(box: _Box, lines: Sequence[str]) -> list[Shape]:
    right, lower = box.x + WIDE, box.y + box.high
    outline = ((box.x, box.y), (right, box.y), (right, lower), (box.x, lower), (box.x, box.y))
    shapes: list[Shape] = [Area(box.x, box.y, WIDE, box.high), Line(outline, "ink", 0.8)]
    for number, line in enumerate(lines):
        text = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
        shapes.append(Label(box.x + 8, box.y + 17 + LINE * number, text, 9.5 if number else 11, bold=not number))
    return shapes


def _arrow(start: _Box, end: _Box) -> list[Shape]:
    """Lead an arrow to the right within a row, else through the gap below the row of `start`."""
    if end.x > start.x:
        leave, turn, arrive = start.y + start.high / 2, end.x - 14, end.y + end.high / 2
        points = ((start.x + WIDE, leave), (turn, leave), (turn, arrive), (end.x, arrive))
        tip = ((end.x - 6, arrive - 3.5), (end.x, arrive), (end.x - 6, arrive + 3.5))
    else:
        apart = 12 if end.x == start.x else -12  # the adapter that is trained on and the pairs that it samples
        middle, down = start.y + start.high + ROOM / 2, end.x + WIDE / 2 + apart
        leave = start.x + WIDE / 2 + apart
        points = ((leave, start.y + start.high), (leave, middle), (down, middle), (down, end.y))
        tip = ((down - 3.5, end.y - 6), (down, end.y), (down + 3.5, end.y - 6))
    return [Line(points, "s0", 1.2), Line(tip, "s0", 1.2)]


def by_round(made: Sequence[Made], stage: str) -> Mapping[str, Lineage]:
    """Return the lineages of one stage by the tag of their release, the oldest round first."""
    some = sorted((one for one in made if one.lineage.stage == stage), key=lambda one: one.lineage.round)
    return {one.tag: one.lineage for one in some}
