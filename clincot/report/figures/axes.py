"""Ranges of two axes -> places of a panel, and the shapes of its frame: title, legend, ticks and names of the axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clincot.report.figures.drawing import SERIES, Label, Line, Shape, folded, text_width

WIDTH, HEIGHT = 340.0, 260.0
LEFT, RIGHT, BOTTOM = 52.0, 14.0, 44.0
SMALL = 10.0
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 3), (1.5, 2.5), (8, 3, 1.5, 3), (3, 2), (10, 4))


@dataclass(frozen=True)
class Axes:
    """A panel whose axes reach over `x` and `y`; `top` is where the plot begins, below title and legend."""

    x: tuple[float, float]
    y: tuple[float, float]
    top: float = 40.0

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a pair of values lies in the panel."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - self.top)


def style(number: int) -> tuple[str, tuple[float, ...]]:
    """Return colour and dash of the series `number`: either tells it from the others, also in print without colours."""
    return SERIES[number % len(SERIES)], DASHES[number % len(DASHES)]


def legend(title: str, names: Sequence[str]) -> tuple[list[Shape], float]:
    """Return the shapes of title and legend, and where the plot may begin. One series needs no legend."""
    lines = folded(title, 12, WIDTH - 24)
    shapes: list[Shape] = [Label(12, 16 + 14 * i, line, 12, bold=True) for i, line in enumerate(lines)]
    x, y = 12.0, 18 + 14.0 * len(lines)
    for number, name in enumerate(names if len(names) > 1 else ()):
        wide = 26 + text_width(name, SMALL) + 10
        if x > 12 and x + wide > WIDTH:
            x, y = 12.0, y + 14
        paint, dash = style(number)
        shapes += [Line(((x, y - 3), (x + 20, y - 3)), paint, 2, dash), Label(x + 26, y, name, SMALL)]
        x += wide
    return shapes, y + 10 if len(names) > 1 else y - 4


def frame(axes: Axes, names: tuple[str, str], x_ticks: Mapping[float, str] | None = None) -> Iterator[Shape]:
    """Yield grid, ticks and names of both axes; `x_ticks` names places of the lower axis instead of round numbers."""
    for value, text in ticks(*axes.y).items():
        left, y = axes.at(axes.x[0], value)
        yield Line(((left, y), (WIDTH - RIGHT, y)), "grid")
        yield Label(left - 6, y + 3.5, text, SMALL, "end")
    named = ticks(*axes.x) if x_ticks is None else x_ticks
    for value, text in named.items():
        x, y = axes.at(value, axes.y[0])
        yield Line(((x, y), (x, y + 4)))
        yield Label(x, y + 15, text, SMALL, "middle")
    corner, end = axes.at(axes.x[0], axes.y[0]), axes.at(axes.x[1], axes.y[0])
    yield Line((axes.at(axes.x[0], axes.y[1]), corner, end))
    yield Label((corner[0] + end[0]) / 2, HEIGHT - 10, names[0], SMALL, "middle")
    yield Label(12, (axes.top + HEIGHT - BOTTOM) / 2, names[1], SMALL, "middle", turned=True)


def ticks(low: float, high: float, most: int = 5) -> dict[float, str]:
    """Return up to about `most` round numbers within the range, each as it is written: all with as many digits."""
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    values = [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return {value: f"{value:.1e}" if digits > 4 else f"{value + 0.0:,.{digits}f}" for value in values}


def written(value: float) -> str:
    """Write a number next to its bar."""
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"
