"""An RGB image and a mask -> the image with these pixels hidden; a mask -> its shape at another place."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable

import numpy as np
from PIL import Image

from clincot.records import TrueRegion

INSIDE = 127  # of a mask's grey values (`TrueRegion`)
TRIES = 200  # places that are tried for a moved mask


def mask_of(regions: Iterable[TrueRegion], size: tuple[int, int]) -> np.ndarray:
    """Return the pixels (height, width) of an image of `size` (width, height) that any of the regions holds.

    A region without a mask, or with one of another size, counts as its box.
    """
    inside = np.zeros((size[1], size[0]), bool)
    for region in regions:
        mask = None if region.mask is None else Image.open(io.BytesIO(region.mask)).convert("L")
        if mask is not None and mask.size == size:
            inside |= np.asarray(mask) > INSIDE
        else:
            left, upper, right, lower = region.box
            inside[max(upper, 0) : lower, max(left, 0) : right] = True
    return inside


def filled(image: Image.Image, mask: np.ndarray) -> Image.Image:
    """Return the image whose pixels in `mask` (height, width) have the mean colour of the others, black without any."""
    pixels = np.asarray(image).copy()
    others = pixels[~mask]
    pixels[mask] = np.rint(others.mean(0)) if len(others) else 0
    return Image.fromarray(pixels)


def dimmed(image: Image.Image, share: float) -> Image.Image:
    """Return the image at `share` of its brightness: other pixels that show the same."""
    return Image.fromarray(np.rint(np.asarray(image, np.float32) * share).astype(np.uint8))


def moved(mask: np.ndarray, seed: str) -> np.ndarray | None:
    """Return `mask` (height, width) shifted as a whole to a place that `seed` draws: as many pixels, all outside of it.

    None where no such place was found.
    """
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    rows, columns = rows - rows.min(), columns - columns.min()
    draw = random.Random(seed)
    for _ in range(TRIES):
        down = draw.randint(0, mask.shape[0] - 1 - int(rows.max()))
        across = draw.randint(0, mask.shape[1] - 1 - int(columns.max()))
        if not mask[rows + down, columns + across].any():
            shifted = np.zeros_like(mask)
            shifted[rows + down, columns + across] = True
            return shifted
    return None
