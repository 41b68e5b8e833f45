"""Encoded image bytes of any mode -> an 8-bit RGB image, and images -> PNG bytes."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

from PIL import Image, ImageOps, UnidentifiedImageError

from clincot.errors import UnreadableImage
from clincot.images.square import Grid

MAX_PIXELS = 89_000_000  # 9,400 x 9,400: larger than any radiograph, and below the 89.5 million at which Pillow warns
# Named, because Pillow would otherwise hand EPS to Ghostscript and open formats that no benchmark uses.
FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PPM")
DEEP = {"I;16", "I;16B", "I;16L", "I;16N", "I", "F"}
TRANSPARENT = {"RGBA", "RGBa", "LA", "La", "PA"}
PHOTOMETRIC = 262  # TIFF tag; 0: the lowest value is white
# What Pillow and its codecs raise on damaged bytes, found by flipping and cutting them (tests/test_images.py).
DAMAGE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    EOFError,
    ValueError,
    SyntaxError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def content_id(data: bytes) -> str:
    """Return the first 16 hex digits of the sha256 of the encoded bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def decode(data: bytes, name: str = "image") -> Image.Image:
    """Decode `data` to RGB, upright, 8 bit; `name` is what the error calls it.

    Deep grey images (16 bit, float) are stretched (grey.py): PIL's own conversion saturates them to a constant. Deep
    colours are scaled by the bits that they need (deep.py). Transparent images are laid on black. A DICOM file is shown
    as its header asks (dicom.py).
    Raises UnreadableImage for damaged bytes, for more than MAX_PIXELS (read from the header, before decoding), and for
    several frames, since it is not known which one is meant.
    """
    if is_dicom(data):
        from clincot.images import dicom  # here, since content_id alone must not load numpy

        return dicom.decode(data, name, MAX_PIXELS)
    from clincot.images import deep

    try:
        Image.init()  # without it Pillow knows five of these formats
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _refuse_unfit(image, name)
        kept = deep.deep_of(image)
        image.load()
        if kept is not None:
            return deep.decode(data, image, kept, name)
        return _to_rgb(ImageOps.exif_transpose(image), inverted=_white_is_zero(image))
    except UnreadableImage:
        raise
    except UnidentifiedImageError as error:  # its own words hold an address in memory, another one in every process
        raise UnreadableImage(_damaged(name, "no known format")) from error
    except DAMAGE as error:
        raise UnreadableImage(_damaged(name, str(error))) from error


def _damaged(name: str, why: str) -> str:
    return f"{name}: cannot be read as an image ({why}). Replace or remove it."


def grid_of(data: bytes) -> Grid | None:
    """Return the stored grid of an encoded image and the one that `decode` shows, from its header alone.

    None for bytes that `decode` refuses. Only DICOM says what shape its pixels have: resolutions in PNG, TIFF and JPEG
    are for printers. An orientation by EXIF does not count either: boxes are drawn on upright images.
    """
    if is_dicom(data):
        from clincot.images import dicom

        return dicom.grid_of(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            return Grid(opened.size, opened.size)
    except DAMAGE:
        return None


def is_dicom(data: bytes) -> bool:
    """Return whether bytes begin as a DICOM file does."""
    return data[128:132] == b"DICM"


def _refuse_unfit(image: Image.Image, name: str) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableImage(
            f"{name}: {image.width}x{image.height} pixels are more than {MAX_PIXELS:,}. Downscale it."
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # the further images of a camera's MPO are previews of the first
        raise UnreadableImage(f"{name}: holds {frames} frames. Save the one that is meant as a separate image.")


def _white_is_zero(image: Image.Image) -> bool:
    """Return whether a deep TIFF stores white as 0, as scans of MONOCHROME1 films do; Pillow inverts 8 bits only."""
    tags = getattr(image, "tag_v2", {})
    return image.mode in DEEP and tags.get(PHOTOMETRIC) == 0


def _to_rgb(image: Image.Image, *, inverted: bool) -> Image.Image:
    if image.mode in DEEP:
        import numpy as np  # here, since content_id alone must not load numpy

        from clincot.images.grey import stretched

        values = np.asarray(image)
        clear = image.info.get("transparency")  # of a PNG, the one value that is
        return stretched(values, inverted=inverted, data=None if clear is None else values != clear)
    if image.mode in TRANSPARENT or "transparency" in image.info:
        plain = image.convert("LA") if image.mode == "La" else image
        solid = plain.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", solid.size, "black"), solid).convert("RGB")
    return image.convert("RGB")


def encode_png(image: Image.Image) -> bytes:
    """Encode losslessly; the bytes are a function of the pixels (and the Pillow version)."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
