"""Lines, areas, dots and texts -> a drawing, in units that are pixels of a page; every format is made from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
# Okabe and Ito's colours, which colour-blind readers can tell apart; grid and ink are greys.
PAPER = {
    "ink": "#222222",
    "grid": "#dddddd",
    "box": "#f2f2f2",
    "s0": "#0072b2",
    "s1": "#d55e00",
    "s2": "#009e73",
    "s3": "#a8538a",
    "s4": "#7a6a00",
    "s5": "#3b8fc2",
}
SERIES = tuple(name for name in PAPER if name.startswith("s"))
LETTER = 0.55  # width of a letter in shares of its size, on average


@dataclass(frozen=True)
class Line:
    """A line through points; `paint` is a key of PAPER, `dash` the lengths of strokes and gaps, () for a whole line."""

    points: tuple[Point, ...]
    paint: str = "ink"
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Area:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    paint: str = "box"


@dataclass(frozen=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    paint: str = "ink"


@dataclass(frozen=True)
class Label:
    """One line of text whose baseline is at `y`; `turned`: it reads upwards."""

    x: float
    y: float
    text: str
    size: float = 11
    anchor: Anchor = "start"
    bold: bool = False
    turned: bool = False


Shape = Line | Area | Dot | Label


@dataclass(frozen=True)
class Drawing:
    """Shapes within `width` x `height` pixels, the first ones below the others."""

    width: float
    height: float
    shapes: tuple[Shape, ...]

    def moved(self, x: float, y: float) -> tuple[Shape, ...]:
        """Return its shapes, moved right and down."""
        return tuple(_moved(shape, x, y) for shape in self.shapes)


def sheet(title: str, panels: Sequence[Drawing], columns: int = 3) -> Drawing:
    """Lay out panels in rows of up to `columns` under a title."""
    rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
    shapes: list[Shape] = [Label(12, 24, title, 15, bold=True)]
    top, widest = 36.0, 12 + text_width(title, 15) * 1.1
    for row in rows:
        left = 0.0
        for panel in row:
            shapes += panel.moved(left, top)
            left += panel.width
        top, widest = top + max(panel.height for panel in row), max(widest, left)
    return Drawing(widest, top, tuple(shapes))


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is; signs of East Asian scripts count double."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in text) * size * LETTER


def folded(text: str, size: float, room: float) -> list[str]:
    """Return a text as lines of at most `room` pixels; a longer word is a line by itself."""
    lines = [""]
    for word in text.split():
        wider = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(wider, size) > room:
            lines.append(word)
        else:
            lines[-1] = wider
    return lines


def box_of(values: Iterable[float]) -> tuple[float, float]:
    """Return the range of finite values, widened where they are all one; 0 to 1 without any."""
    known = [value for value in values if value == value and abs(value) != float("inf")]
    low, high = min(known, default=0.0), max(known, default=1.0)
    return (low, high) if high - low > 1e-9 * max(1.0, abs(high)) else (low - 0.5, high + 0.5)


def _moved(shape: Shape, x: float, y: float) -> Shape:
    if isinstance(shape, Line):
        return replace(shape, points=tuple((a + x, b + y) for a, b in shape.points))
    return replace(shape, x=shape.x + x, y=shape.y + y)
