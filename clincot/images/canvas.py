"""A global image and a crop of it -> one image of both, for policies that take one image only (`image_layout`)."""

from __future__ import annotations

from PIL import Image

GAP = 16  # white pixels between the two; wide enough that a patch of 14 or 16 pixels never shows both


def compose(image: Image.Image, crop: Image.Image) -> Image.Image:
    """Put the crop to the right of the image, scaled to its height, on a white square that holds both: RGB.

    Square, because CLIP's processor resizes the shorter side and cuts out the middle: of two squares side by side it
    would show the inner halves alone.
    """
    height = image.height
    scaled = crop.resize((max(1, round(crop.width * height / crop.height)), height), Image.Resampling.BICUBIC)
    side = max(image.width + GAP + scaled.width, height)
    canvas = Image.new("RGB", (side, side), "white")
    top = (side - height) // 2
    canvas.paste(image, (0, top))
    canvas.paste(scaled, (image.width + GAP, top))
    return canvas
