"""Texts and images -> pieces of HTML: texts escaped and in their own direction, images as data, no script, no link."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from PIL import Image

from clincot.images.views import encode
from clincot.report.fragments.drawn import Placed, colour_of

LONGEST = 2_000  # characters of one text
ROW = "display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start;margin:.5rem 0"
SMALL = "font-size:.85em"
SOFT = "border:1px solid #8886;border-radius:6px;padding:.5rem .75rem;margin:.5rem 0;flex:1 1 16rem;min-width:0"
WARNING = "<p><strong>Not for clinical use.</strong></p>"


def text(said: str) -> str:
    """Return a text that cannot become markup nor change the direction of what follows it; a long one is cut."""
    cut = f" … ({len(said) - LONGEST:,} more characters)" if len(said) > LONGEST else ""
    shown = escape(said[:LONGEST])
    return f'<bdi style="white-space:pre-wrap;overflow-wrap:anywhere">{shown}</bdi>{cut}'


def line(name: str, said: str) -> str:
    """Return a paragraph: what something is called, and its text."""
    return f'<p style="margin:.25rem 0"><strong>{escape(name)}:</strong> {text(said)}</p>'


def fitted(image: Image.Image, side: int) -> float:
    """Return the scale at which the longer side of an image is `side` pixels long."""
    return side / max(image.size)


def image(shown: Image.Image, alt: str, side: int) -> str:
    """Return an image (RGB) whose longer side is shown as `side` pixels; a larger one is stored smaller."""
    scale = fitted(shown, side)
    width, height = (max(1, round(edge * scale)) for edge in shown.size)
    stored = shown.resize((width, height), Image.Resampling.LANCZOS) if scale < 1 else shown
    data = base64.b64encode(encode(stored)).decode()
    style = "max-width:100%;height:auto"
    return (
        f'<img src="data:image/png;base64,{data}" width="{width}" height="{height}" alt="{escape(alt)}"'
        f' style="{style}">'
    )


def figure(shown: Image.Image, caption: str, side: int) -> str:
    """Return an image with a line below it."""
    below = f'<figcaption style="{SMALL}">{text(caption)}</figcaption>'
    return f'<figure style="margin:0;max-width:100%">{image(shown, caption, side)}{below}</figure>'


def row(parts: Iterable[str]) -> str:
    """Return parts next to one another, below one another where the page is narrow."""
    return f'<div style="{ROW}">{"".join(parts)}</div>'


def block(heading: str, parts: Iterable[str]) -> str:
    """Return parts in a frame under a heading."""
    return f'<section style="{SOFT}"><h4 style="margin:0 0 .25rem">{escape(heading)}</h4>{"".join(parts)}</section>'


def legend(placed: Sequence[Placed], notes: Sequence[str] | None = None) -> str:
    """Return the list that names the outlines of an image, by number and colour; `notes` follow the names."""
    if not placed:
        return ""
    lines = []
    for place, one in enumerate(placed):
        mark = "#{:02x}{:02x}{:02x}".format(*colour_of(place))
        note = f" {escape(notes[place])}" if notes else ""
        square = f'<span style="color:{mark}" aria-hidden="true">■</span>'
        lines.append(f"<li>{square} {text(one.hypothesis)} {escape(str(tuple(one.box)))}{note}</li>")
    return f'<ol style="{SMALL};margin:.25rem 0;padding-left:1.5rem">{"".join(lines)}</ol>'
