"""Encoded image bytes of any mode -> an 8-bit RGB picture, and regions of it -> PNG bytes."""

from __future__ import annotations

import hashlib
import io

from PIL import Image, ImageOps, UnidentifiedImageError

from clincot.errors import UnreadableImage
from clincot.records import Box

MAX_PIXELS = 100_000_000  # 10k x 10k: larger than any radiograph, small enough to decode in memory
SIXTEEN_BIT = {"I;16", "I;16B", "I;16L", "I", "F"}


def content_id(data: bytes) -> str:
    """Return the first 16 hex digits of the sha256 of the encoded bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def decode(data: bytes, name: str = "image") -> Image.Image:
    """Decode `data` to RGB, upright, 8 bit; `name` is what the error calls it.

    Deep grey images (16 bit, float) are stretched from their minimum and maximum: PIL's own conversion saturates them
    to a constant. Transparent images are laid on black. Raises UnreadableImage.
    """
    try:
        picture = Image.open(io.BytesIO(data))
        if picture.width * picture.height > MAX_PIXELS:
            raise UnreadableImage(
                f"{name}: {picture.width}x{picture.height} pixels are more than {MAX_PIXELS:,}. Downscale it."
            )
        picture.load()
    except UnreadableImage:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"{name}: cannot be read as an image ({error}). Replace or remove it.") from error
    return _to_rgb(ImageOps.exif_transpose(picture))


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in SIXTEEN_BIT:
        low, high = picture.convert("F").getextrema()
        span = max(float(high) - float(low), 1e-9)  # type: ignore[arg-type]
        return picture.convert("F").point(lambda v: (v - low) * (255.0 / span)).convert("L").convert("RGB")
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        solid = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", solid.size, "black"), solid).convert("RGB")
    return picture.convert("RGB")


def encode_png(picture: Image.Image) -> bytes:
    """Encode losslessly; the bytes are a function of the pixels (and the Pillow version)."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def crop_png(picture: Image.Image, box: Box) -> bytes:
    """Cut `box` out of `picture` and encode it; radiographs are grey, so equal channels are stored once."""
    cut = picture.crop(box)
    red, green, blue = cut.split()
    grey = red.tobytes() == green.tobytes() == blue.tobytes()
    return encode_png(red if grey else cut)
