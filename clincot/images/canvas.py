"""The images of a request -> one image of them all, for policies that take one image only (`image_layout`)."""

from __future__ import annotations

from PIL import Image

GAP = 16  # white pixels between the two; wide enough that a patch of 14 or 16 pixels never shows both


def compose(image: Image.Image, *others: Image.Image) -> Image.Image:
    """Put the others (a crop, or further images) to the right of the image, scaled to its height: RGB.

    The canvas is a white square that holds all of them. Square, because CLIP's processor resizes the shorter side and
    cuts out the middle: of two squares side by side it would show the inner halves alone.
    """
    height = image.height
    scaled = [
        other.resize((max(1, round(other.width * height / other.height)), height), Image.Resampling.BICUBIC)
        for other in others
    ]
    side = max(image.width + sum(GAP + other.width for other in scaled), height)
    canvas = Image.new("RGB", (side, side), "white")
    left, top = 0, (side - height) // 2
    for shown in (image, *scaled):
        canvas.paste(shown, (left, top))
        left += shown.width + GAP
    return canvas
