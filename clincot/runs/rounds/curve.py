"""A trainer's logs -> the image of its training curve: loss and reward accuracy by step, as PNG bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from clincot.images import encode_png

WIDTH, HEIGHT = 840, 330
LEFT, TOP, PLOT, TALL, GAP = 60, 64, 330, 210, 80
INK, GRID = "#333333", "#dddddd"
Points = list[tuple[float, float]]


class Panel(NamedTuple):
    """One plot: what it shows, its key in the logs, its colour."""

    title: str
    key: str
    colour: str


LOSS = Panel("loss", "loss", "#1f5fa8")
PANELS = (LOSS, Panel("reward accuracy", "rewards/accuracies", "#b3541e"))
SFT_PANELS = (LOSS, Panel("token accuracy", "mean_token_accuracy", "#b3541e"))


def training_curve(history: Sequence[Mapping[str, Any]], title: str, panels: Sequence[Panel] = PANELS) -> bytes:
    """Draw each logged value over its step; a key that no entry holds leaves its panel empty."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    draw.text((LEFT, 14), title, fill=INK, font=ImageFont.load_default(16))
    for i, panel in enumerate(panels):
        points = [(float(e["step"]), float(e[panel.key])) for e in history if panel.key in e and "step" in e]
        _plot(draw, LEFT + i * (PLOT + GAP), panel, points)
    return encode_png(image)


def _plot(draw: ImageDraw.ImageDraw, left: int, panel: Panel, points: Points) -> None:
    font = ImageFont.load_default(12)
    draw.text((left, TOP - 20), panel.title, fill=panel.colour, font=font)
    draw.text((left + PLOT / 2, TOP + TALL + 24), "step", fill=INK, font=font, anchor="ma")
    low, high = _span([y for _, y in points])
    last = max((x for x, _ in points), default=1.0)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = TOP + TALL * (1 - share)
        draw.line((left, y, left + PLOT, y), fill=GRID)
        draw.text((left - 6, y), f"{low + share * (high - low):.3g}", fill=INK, font=font, anchor="rm")
        x = left + PLOT * share
        draw.text((x, TOP + TALL + 6), f"{share * last:.3g}", fill=INK, font=font, anchor="ma")
    draw.line((left, TOP, left, TOP + TALL, left + PLOT, TOP + TALL), fill=INK)
    line = [
        (left + PLOT * x / last, TOP + TALL * (1 - (y - low) / (high - low)))
        for x, y in points
        if y == y  # a loss that is not a number has no place
    ]
    if len(line) > 1:
        draw.line(line, fill=panel.colour, width=2)
    for x, y in line:
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=panel.colour)


def _span(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of the axis: the values' own, widened where they are all one."""
    known = [value for value in values if value == value]
    low, high = min(known, default=0.0), max(known, default=1.0)
    return (low, high) if high - low > 1e-9 else (low - 0.5, high + 0.5)
