"""Drawn phantoms -> the image of docs/tutorial.md; run as `python docs/tutorial/draw.py`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from clincot.phantom.drawing.draw import RANGES, Phantom, draw

OUT = Path(__file__).with_name("phantoms.png")
SIZE, TITLE, GAP = 256, 18, 6
GROUND, LINE = 32, 255  # grey levels
WANTED = (("nodule",), ("consolidation",), ("pneumothorax", "effusion"), ())


def panel(phantom: Phantom) -> Image.Image:
    """Return the radiograph with its findings outlined and named above."""
    image = Image.new("L", (SIZE, SIZE + TITLE), GROUND)
    image.paste(Image.fromarray(phantom.image), (0, TITLE))
    pen = ImageDraw.Draw(image)
    pen.text((4, 3), ", ".join(phantom.names) or "no finding", fill=LINE)
    for finding in phantom.findings:
        left, upper, right, lower = finding.box
        pen.rectangle((left, upper + TITLE, right - 1, lower - 1 + TITLE), outline=LINE)
    return image


def main() -> None:
    drawn = [draw(0, RANGES["held_out"] + number) for number in range(60)]
    panels = [panel(next(one for one in drawn if set(one.names) == set(names))) for names in WANTED]
    whole = Image.new("L", (len(panels) * (SIZE + GAP) - GAP, SIZE + TITLE), 255)
    for place, one in enumerate(panels):
        whole.paste(one, (place * (SIZE + GAP), 0))
    whole.quantize(64).save(OUT, optimize=True)
    print(f"{OUT.name}: {OUT.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
