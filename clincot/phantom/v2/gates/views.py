"""Drawn images -> what each object looks like in the 48-pixel global view and in a crop, with its kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from clincot.phantom.drawing.anatomy import SIZE
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.fine import VIEW
from clincot.phantom.v2.objects import Thing

WINDOW = 13  # pixels a side of the global view about an object: 69 of the image
CROP = 64  # pixels of the image, the smallest crop
JITTER = 8.0  # pixels between a crop's centre and its object's, at most


@dataclass(frozen=True)
class ObjectViews:
    """`windows` (n, 13, 13) of the global view and `crops` (n, 48, 48), greys in [0, 1]; `things` are the objects."""

    windows: np.ndarray = field(repr=False)
    crops: np.ndarray = field(repr=False)
    things: tuple[Thing, ...]

    @property
    def lesion(self) -> np.ndarray:
        """(n,) bool: which objects are nodules."""
        return np.array([thing.lesion for thing in self.things])


def object_views(seed: int, indices: Iterable[int], *, contrast: float = 1.0) -> ObjectViews:
    """Draw the images `indices` of the world `seed` and cut out every object, about 25 ms an image."""
    rng = np.random.default_rng([seed, 31])
    windows, crops, things = [], [], []
    for index in indices:
        drawn = draw(seed, index, contrast=contrast)
        image = Image.fromarray(drawn.image)
        small = np.asarray(image.resize((VIEW, VIEW), Image.Resampling.BICUBIC), np.float32) / 255
        padded = np.pad(small, WINDOW // 2, mode="reflect")
        for thing in drawn.layout.things:
            column, row = (int(value * VIEW / SIZE) for value in thing.centre)
            windows.append(padded[row : row + WINDOW, column : column + WINDOW])
            left, upper = (
                int(np.clip(value - CROP / 2 + rng.uniform(-JITTER, JITTER), 0, SIZE - CROP)) for value in thing.centre
            )
            cut = image.crop((left, upper, left + CROP, upper + CROP))
            crops.append(np.asarray(cut.resize((VIEW, VIEW), Image.Resampling.BICUBIC), np.float32) / 255)
            things.append(thing)
    return ObjectViews(np.stack(windows), np.stack(crops), tuple(things))
