"""An opened image of 16-bit colours, or of grey and alpha, and its bytes -> the 8-bit RGB image that shows all of them.

Pillow keeps the high byte of such values, which leaves 12-bit images nearly black; OpenCV reads them whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps

from clincot.errors import UnreadableImage
from clincot.images.grey import depth, shares, shown

MOST = 2**16 - 1
BITS_PER_SAMPLE, PLANAR, EXTRA_SAMPLES = 258, 284, 338  # TIFF tags
APART, PREMULTIPLIED = 2, (1,)  # values of the last two


@dataclass(frozen=True)
class Deep:
    """How an opened file keeps its 16-bit channels: plane after plane, already multiplied by alpha."""

    apart: bool
    premultiplied: bool


def deep_of(opened: Image.Image) -> Deep | None:
    """Return how an opened PNG, TIFF or PPM keeps its 16-bit colours, or grey and alpha; None for all others."""
    tags = getattr(opened, "tag_v2", {})
    if not (opened.mode in ("RGB", "RGBA") and (set(tags.get(BITS_PER_SAMPLE, ())) == {16} or _words(opened))):
        return None
    return Deep(tags.get(PLANAR) == APART, tags.get(EXTRA_SAMPLES) == PREMULTIPLIED)


def _words(opened: Image.Image) -> bool:
    """Return whether Pillow decodes a PNG or PPM in 16-bit words; a PPM of fewer bits is scaled by its maximum."""
    tiles = getattr(opened, "tile", ())
    arguments = tiles[0].args if tiles else None
    if opened.format == "PNG":
        return isinstance(arguments, str) and arguments.endswith(";16B")
    return opened.format == "PPM" and isinstance(arguments, tuple) and arguments[-1] == MOST


def decode(data: bytes, loaded: Image.Image, deep: Deep, name: str) -> Image.Image:
    """Return the upright RGB image of `data`, which Pillow has `loaded` without an error, transparent parts on black.

    Equal channels are grey and are shown as a grey image of the same values; colours are scaled together, by the bits
    that their highest value needs. Raises UnreadableImage for channels that lie apart, which no decoder reads right.
    """
    if deep.apart:
        raise UnreadableImage(f"{name}: keeps its 16-bit channels apart (planar). Save them interleaved.")
    words = _read(data)
    if words is None or not _same(words, loaded, deep):
        raise UnreadableImage(f"{name}: its 16-bit colours cannot be read. Save it as a PNG.")
    colours = words[..., 2::-1]  # from blue, green, red
    has_alpha = loaded.mode == "RGBA" or "transparency" in loaded.info
    alpha = words[..., 3] if has_alpha and words.shape[2] == 4 else None
    turned = loaded.getexif().get(
        ExifTags.Base.Orientation
    )  # both decoders turn a TIFF themselves, and no other format
    return _upright(_shown(colours, alpha, premultiplied=deep.premultiplied), turned)


def _read(data: bytes) -> np.ndarray | None:
    """Return the channels (rows, columns, 3 or 4; blue first) as uint16, None where OpenCV finds something else."""
    try:
        words = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    return words if words is not None and words.dtype == np.uint16 and words.ndim == 3 else None


def _same(words: np.ndarray, loaded: Image.Image, deep: Deep) -> bool:
    """Return whether the high bytes of `words` are what Pillow read: where decoders differ, one of them is wrong."""
    if words.shape[:2] != loaded.size[::-1]:
        return False
    high = np.asarray(loaded)[..., :3].astype(np.int16)  # of premultiplied colours Pillow undoes the product
    return deep.premultiplied or bool((abs((words[..., 2::-1] >> 8).astype(np.int16) - high) <= 1).all())


def _shown(colours: np.ndarray, alpha: np.ndarray | None, *, premultiplied: bool) -> Image.Image:
    """Return `colours` (rows, columns, 3) on black by `alpha` (rows, columns), both uint16."""
    visible = np.ones(colours.shape[:2], bool) if alpha is None else alpha > 0
    if not visible.any():
        return Image.new("RGB", colours.shape[1::-1])
    bits = depth(colours[visible])
    grey = bool((colours == colours[..., :1])[visible].all())
    share = shares(colours[..., 0], visible)[..., None] if grey else colours.astype(np.float32) / (2**bits - 1)
    if alpha is not None and not premultiplied:
        share = np.clip(share, 0.0, 1.0) * (alpha.astype(np.float32) / _opaque(alpha, bits))[..., None]
    return shown(share[..., 0] if grey else share, data=visible)


def _opaque(alpha: np.ndarray, bits: int) -> int:
    """Return the alpha that hides what lies below: 65535, or all bits of the colours' depth where that is the highest.

    A 12-bit image saved with its four channels in the same range has 4095, which by the format is nearly transparent.
    """
    return 2**bits - 1 if int(alpha.max()) == 2**bits - 1 else MOST


def _upright(image: Image.Image, turned: int | None) -> Image.Image:
    if turned is None:
        return image
    image.getexif()[ExifTags.Base.Orientation] = turned
    return ImageOps.exif_transpose(image)
