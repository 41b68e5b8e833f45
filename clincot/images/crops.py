"""A region's crop -> the mask that cuts it again from its image, and back to the same bytes."""

from __future__ import annotations

import numpy as np
from PIL import Image

from clincot import images
from clincot.records import Box


def mask_of(crop: bytes) -> bytes:
    """Return what of a masked crop is not white, as a one-bit PNG of the crop's size.

    A pixel of the component that is white itself falls outside, which changes nothing: outside is white too.
    """
    pixels = np.asarray(images.decode(crop, "crop"))
    return images.encode_png(Image.fromarray((pixels < 255).any(axis=2).astype(np.uint8) * 255).convert("1"))


def cut(picture: Image.Image, box: Box, mask: bytes | None) -> bytes:
    """Cut `box` out of `picture` (RGB), white outside `mask` where there is one: the bytes that the build made."""
    if mask is None:
        return images.crop_png(picture, box)
    shape = images.decode(mask, "mask").convert("L")
    white = Image.new("RGB", shape.size, "white")
    white.paste(picture.crop(box), mask=shape)
    return images.crop_png(white, Box(0, 0, *shape.size))
