"""An image, a box and a component's mask -> the crop that shows the component, and the mask that cuts it again."""

from __future__ import annotations

import numpy as np
from PIL import Image

from clincot import images
from clincot.records import Box


def mask_of(image: Image.Image, component: np.ndarray, box: Box) -> bytes:
    """Return the part of `component` (bool, rows x columns of `image`, RGB) in `box`, as a one-bit PNG.

    White pixels of the component are left out. The crop is the same, as outside is white too, and the mask is then the
    one that can be read off the crop, which is how rounds have stored it from the first on.
    """
    pixels = np.asarray(image.crop(box))
    inside = component[box.upper : box.lower, box.left : box.right] & (pixels < 255).any(axis=2)
    return images.encode_png(Image.fromarray(inside.astype(np.uint8) * 255).convert("1"))


def crop(image: Image.Image, box: Box, mask: bytes | None) -> Image.Image:
    """Cut `box` out of `image` (RGB), white outside `mask` where there is one."""
    if mask is None:
        return image.crop(box)
    shape = images.decode(mask, "mask").convert("L")
    white = Image.new("RGB", shape.size, "white")
    white.paste(image.crop(box), mask=shape)
    return white
