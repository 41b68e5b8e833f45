"""A drawing -> PNG bytes, three pixels for each of its units, for papers and cards."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from clincot.images import encode_png
from clincot.report.figures.drawing import PAPER, Area, Dot, Drawing, Label, Line, Point, Shape

SCALE = 3  # 340 units are 1,020 pixels: 300 dots an inch over a column of 3.4 inches
FINER = 2  # drawn so much larger and then reduced: Pillow draws no smooth edges
UNIT = SCALE * FINER
ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def png(drawing: Drawing) -> bytes:
    """Draw it on white. The font is Pillow's own, which knows Latin letters alone; SVG files have every script."""
    size = (math.ceil(drawing.width * UNIT), math.ceil(drawing.height * UNIT))
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        _draw(draw, image, shape)
    return encode_png(image.reduce(FINER))


def _draw(draw: ImageDraw.ImageDraw, image: Image.Image, shape: Shape) -> None:
    match shape:
        case Line():
            for part in _strokes(shape):
                scaled = [(x * UNIT, y * UNIT) for x, y in part]
                draw.line(scaled, PAPER[shape.paint], max(1, round(shape.width * UNIT)), joint="curve")
        case Area():
            place = (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
            if shape.width > 0 and shape.height > 0:
                draw.rectangle([edge * UNIT for edge in place], PAPER[shape.paint])
        case Dot():
            place = (shape.x - shape.radius, shape.y - shape.radius, shape.x + shape.radius, shape.y + shape.radius)
            draw.ellipse([edge * UNIT for edge in place], PAPER[shape.paint])
        case Label():
            _write(draw, image, shape)


def _write(draw: ImageDraw.ImageDraw, image: Image.Image, label: Label) -> None:
    font, ink, thick = _font(label.size), PAPER["ink"], UNIT // 4 if label.bold else 0
    if not label.turned:
        place, anchor = (label.x * UNIT, label.y * UNIT), ANCHORS[label.anchor]
        return draw.text(place, label.text, ink, font, anchor, stroke_width=thick, stroke_fill=ink)
    wide, high = round(font.getlength(label.text)) + UNIT, round(label.size * 1.4 * UNIT)
    mask = Image.new("L", (wide, high), 0)
    ImageDraw.Draw(mask).text((0, label.size * UNIT), label.text, 255, font, "ls")
    mask = mask.rotate(90, expand=True)
    below = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor] * wide
    place = (round((label.x - label.size) * UNIT), round(label.y * UNIT - mask.height + below))
    image.paste(Image.new("RGB", mask.size, ink), place, mask)


@lru_cache(32)
def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * UNIT)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _strokes(line: Line) -> list[list[Point]]:
    """Return the parts of a line that are drawn; Pillow knows no dashes."""
    if not line.dash:
        return [list(line.points)]
    parts: list[list[Point]] = []
    left, number = line.dash[0], 0
    for (x, y), (to_x, to_y) in pairwise(line.points):
        length, done = math.dist((x, y), (to_x, to_y)), 0.0
        while done < length:
            step = min(left, length - done)
            ends = [(x + (to_x - x) * at / length, y + (to_y - y) * at / length) for at in (done, done + step)]
            if number % 2 == 0:
                parts.append(ends)
            done, left = done + step, left - step
            if left <= 1e-9:
                number += 1
                left = line.dash[number % len(line.dash)]
    return parts
