"""A seed and an index -> one radiograph of version 2 (256 x 256 grey) and the layout it shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from clincot.phantom.drawing.layers import body, bones, expose, mediastinum, soft, vessels
from clincot.phantom.v2.fine import fine_layer
from clincot.phantom.v2.objects import STREAM, Layout, objects

SOFTNESS = 1.5  # pixels; the rim of a nodule, as in version 1


@dataclass(frozen=True)
class Radiograph:
    """One drawn image of version 2: uint8 greys and the layout that they show."""

    image: np.ndarray = field(repr=False)
    layout: Layout


def draw(seed: int, index: int, *, contrast: float = 1.0) -> Radiograph:
    """Draw the radiograph `index` of the world `seed`; equal arguments give equal pixels (about 20 ms).

    `contrast` is that of `objects`: a factor of every object's contrast.
    """
    layout = objects(seed, index, contrast=contrast)
    rng = np.random.default_rng([seed, index, STREAM, 1])
    anatomy = layout.anatomy
    image = body(rng, anatomy) + 0.17 * vessels(rng, anatomy) * anatomy.aerated
    for thing in layout.things:  # the same soft body for a nodule and for what resembles it
        image = image + thing.contrast * soft(thing.mask(), SOFTNESS)
    image = mediastinum(rng, anatomy, image)
    image = image + rng.uniform(0.06, 0.11) * bones(rng, anatomy)
    return Radiograph(expose(rng, image + fine_layer(layout, rng)), layout)
