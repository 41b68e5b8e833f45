"""Series of numbers -> one panel: lines with intervals, histograms as steps, bars, a scatter of counted places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clincot.report.figures.axes import HEIGHT, RIGHT, SMALL, WIDTH, Axes, frame, legend, style, written
from clincot.report.figures.drawing import Area, Dot, Drawing, Label, Line, Shape, box_of, folded

ROW = 15.0  # height of a bar with its gap
LARGEST = 9.0  # radius of the largest dot of a scatter


@dataclass(frozen=True)
class Series:
    """Points (x, y) with an optional interval (low, high) of y for each."""

    name: str
    points: tuple[tuple[float, float], ...]
    intervals: tuple[tuple[float, float], ...] = ()


def line_chart(
    title: str, series: Sequence[Series], names: tuple[str, str], x_ticks: Mapping[float, str] | None = None
) -> Drawing:
    """Draw lines through points, with bars for intervals; series are set apart a little where intervals would meet."""
    shapes, top = legend(title, [one.name for one in series])
    values = [y for one in series for pair in zip(one.points, strict=True) for _, y in pair]
    values += [edge for one in series for interval in one.intervals for edge in interval]
    x, y = box_of(x for one in series for x, _ in one.points), _padded(box_of(values))
    x = _padded(x, 0.03) if x_ticks is None else (min(x_ticks) - 0.4, max(x_ticks) + 0.4)
    axes = Axes(x, y, top)
    shapes += frame(axes, names, x_ticks)
    apart = 0.06 if x_ticks is not None else 0.0
    for number, one in enumerate(series):
        shapes += _drawn(axes, one, number, (number - (len(series) - 1) / 2) * apart)
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _drawn(axes: Axes, one: Series, number: int, shift: float) -> Iterator[Shape]:
    paint, dash = style(number)
    known = [(x + shift, y) for x, y in one.points if math.isfinite(y)]
    if len(known) > 1:
        yield Line(tuple(axes.at(x, y) for x, y in known), paint, 1.8, dash)
    for (x, _), (low, high) in zip(one.points, one.intervals, strict=False):
        if math.isfinite(low) and math.isfinite(high):
            yield Line((axes.at(x + shift, low), axes.at(x + shift, high)), paint, 1.2)
    for x, y in known if len(known) <= 40 else ():
        yield Dot(*axes.at(x, y), 3 if one.intervals else 2, paint)


def histogram(
    title: str, edges: Sequence[float], counts: Mapping[str, Sequence[int]], names: tuple[str, str]
) -> Drawing:
    """Draw each series as steps over common bins; `edges` are one more than the bins."""
    shapes, top = legend(title, list(counts))
    most = max((count for some in counts.values() for count in some), default=0)
    axes = Axes((edges[0], edges[-1]), (0, max(1, most) * 1.06), top)
    shapes += frame(axes, names)
    for number, some in enumerate(counts.values()):
        paint, dash = style(number)
        corners = [(edges[0], 0.0)]
        for i, count in enumerate(some):
            corners += [(edges[i], count), (edges[i + 1], count)]
        corners.append((edges[-1], 0.0))
        shapes.append(Line(tuple(axes.at(*corner) for corner in corners), paint, 1.8, dash))
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def bars(title: str, rows: Mapping[str, Sequence[float]], series: Sequence[str], name: str) -> Drawing:
    """Draw one bar for each row and series, from the left, with its value; rows are named above their bars."""
    shapes, top = legend(title, series)
    most = max((value for values in rows.values() for value in values), default=0) or 1
    y, room = top + 6, WIDTH - 24 - RIGHT - 60
    for row, values in rows.items():
        for line in folded(row, SMALL, WIDTH - 24):
            shapes.append(Label(12, y + SMALL - 2, line, SMALL))
            y += ROW - 2
        for number, value in enumerate(values):
            long = room * value / most
            paint = style(number)[0]
            shapes += [
                Area(12, y + 1, max(0.5, long), ROW - 5, paint),
                Label(18 + long, y + SMALL, written(value), SMALL),
            ]
            y += ROW - 2
        y += 6
    shapes.append(Label(12, y + SMALL, name, SMALL))
    return Drawing(WIDTH, y + 22, tuple(shapes))


def scatter(title: str, cells: Mapping[tuple[float, float], int], names: tuple[str, str]) -> Drawing:
    """Draw values in [0, 1] against each other: a dot for each place, its area the number of values there."""
    shapes, top = legend(title, ())
    axes, most = Axes((0, 1), (0, 1), top + 16), max(cells.values(), default=1)
    shapes += frame(axes, names)
    shapes.append(Line((axes.at(0, 0), axes.at(1, 1)), "grid", 1.5))
    shapes += [Dot(*axes.at(*place), max(0.8, LARGEST * math.sqrt(n / most)), "s0") for place, n in cells.items()]
    shapes.append(Label(12, top + 8, f"the largest dot: {most:,}", SMALL))
    return Drawing(WIDTH, HEIGHT, tuple(shapes))


def _padded(span: tuple[float, float], share: float = 0.06) -> tuple[float, float]:
    room = share * (span[1] - span[0])
    return span[0] - room, span[1] + room
