"""The size of a stored grid of pixels and the shape of one -> the grid of square pixels on which the image is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from clincot.records import Box

SQUARE = 0.01  # pixels whose sides differ by less are square: rounded spacings differ so, invisibly

Size = tuple[int, int]


@dataclass(frozen=True)
class Grid:
    """An image's `stored` and `shown` sizes (width, height); they differ where its pixels are not square."""

    stored: Size
    shown: Size

    def image(self, image: Image.Image) -> Image.Image:
        """Resample a stored image to the shown size."""
        # Bilinear: it makes no value that is not between its neighbours, as sharper filters do next to a bone.
        return image if self.shown == self.stored else image.resize(self.shown, Image.Resampling.BILINEAR)

    def mask(self, mask: Image.Image) -> Image.Image:
        """Resample a mask of stored pixels to the shown size; one of another size is returned as it is."""
        return mask.resize(self.shown, Image.Resampling.NEAREST) if mask.size == self.stored else mask

    def box(self, box: Box) -> Box:
        """Return the shown pixels that a box of stored pixels touches."""
        across, down = self.shown[0] / self.stored[0], self.shown[1] / self.stored[1]
        return Box(
            math.floor(box.left * across),
            math.floor(box.upper * down),
            math.ceil(box.right * across),
            math.ceil(box.lower * down),
        )


def square_grid(stored: Size, down: float, across: float) -> Grid:
    """Return the grid of `stored` pixels that are `down` high and `across` wide, in any unit, resampled to the finer.

    No stored pixel is lost: the side with the coarser spacing gets more pixels, the other one keeps its number.
    """
    if abs(down / across - 1.0) < SQUARE:
        return Grid(stored, stored)
    width, height = stored
    if down > across:
        return Grid(stored, (width, round(height * down / across)))
    return Grid(stored, (round(width * across / down), height))
