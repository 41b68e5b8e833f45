"""Drawn phantoms -> the image of docs/tutorial.md; run as `python docs/tutorial/draw.py`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from clincot.phantom.v2.draw import Radiograph, draw
from clincot.phantom.v2.objects import RANGES

OUT = Path(__file__).with_name("phantoms.png")
SIZE, TITLE, GAP = 256, 18, 6
GROUND, LINE, FAINT = 32, 255, 150  # grey levels
WANTED = (1, 2, 3, 0)  # nodules of the images


def panel(drawn: Radiograph) -> Image.Image:
    """Return the radiograph with its objects outlined: nodules bright, what resembles them faint."""
    image = Image.new("L", (SIZE, SIZE + TITLE), GROUND)
    image.paste(Image.fromarray(drawn.image), (0, TITLE))
    pen = ImageDraw.Draw(image)
    count = len(drawn.layout.lesions)
    pen.text((4, 3), f"{count or 'no'} nodule{'' if count == 1 else 's'}", fill=LINE)
    for thing in drawn.layout.things:
        left, upper, right, lower = thing.box
        grey = LINE if thing.lesion else FAINT
        pen.rectangle((left - 2, upper + TITLE - 2, right + 1, lower + TITLE + 1), outline=grey)
    return image


def main() -> None:
    drawn = [draw(0, RANGES["held_out"] + number) for number in range(40)]
    panels = [panel(next(one for one in drawn if len(one.layout.lesions) == count)) for count in WANTED]
    whole = Image.new("L", (len(panels) * (SIZE + GAP) - GAP, SIZE + TITLE), 255)
    for place, one in enumerate(panels):
        whole.paste(one, (place * (SIZE + GAP), 0))
    whole.quantize(64).save(OUT, optimize=True)
    print(f"{OUT.name}: {OUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
