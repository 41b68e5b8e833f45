"""A drawing -> SVG text: of fixed colours for papers, or of a page's own colours, which follow its colour scheme."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from clincot.report.figures.drawing import PAPER, Area, Dot, Drawing, Label, Line, Shape

FONT = "Helvetica, Arial, sans-serif"
Paint = Callable[[str], str]


def paper_svg(drawing: Drawing, title: str) -> str:
    """Return a file for papers: white ground, fixed colours. It loads nothing and holds no script."""
    ground = f'<rect width="{drawing.width:.0f}" height="{drawing.height:.0f}" fill="#ffffff"/>'
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + _svg(drawing, title, lambda name: PAPER[name], ground)


def page_svg(drawing: Drawing, title: str) -> str:
    """Return the drawing for a page whose style sets the variables `--ink`, `--grid`, `--box` and `--s0`, ..."""
    return _svg(drawing, title, lambda name: f"var(--{name})")


def _svg(drawing: Drawing, title: str, paint: Paint, ground: str = "") -> str:
    size = f'width="{drawing.width:.0f}" height="{drawing.height:.0f}"'
    body = "\n".join(_shape(shape, paint) for shape in drawing.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}"'
        f' role="img" aria-label="{_text(title)}" font-family="{FONT}">\n{ground}{body}\n</svg>\n'
    )


def _shape(shape: Shape, paint: Paint) -> str:
    match shape:
        case Line():
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
            dash = f' stroke-dasharray="{" ".join(map(str, shape.dash))}"' if shape.dash else ""
            return (
                f'<polyline points="{points}" fill="none" style="stroke:{paint(shape.paint)}"'
                f' stroke-width="{shape.width}"{dash}/>'
            )
        case Area():
            place = f'x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}"'
            return f'<rect {place} style="fill:{paint(shape.paint)}"/>'
        case Dot():
            place = f'cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:.1f}"'
            return f'<circle {place} style="fill:{paint(shape.paint)}"/>'
        case Label():
            turn = f' transform="rotate(-90 {shape.x:.1f} {shape.y:.1f})"' if shape.turned else ""
            bold = ' font-weight="bold"' if shape.bold else ""
            return (
                f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size}" text-anchor="{shape.anchor}"'
                f' style="fill:{paint("ink")}"{bold}{turn}>{_text(shape.text)}</text>'
            )


def _text(text: str) -> str:
    """Escape a text; control characters, which XML does not know, and signs that turn lines become spaces."""
    turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return escape("".join(" " if not sign.isprintable() or sign in turning else sign for sign in text))
