"""VQA-RAD's chest films -> the same films with a drawn nodule in one lung and a drawn distractor in the other.

An anchor outside of the drawn world: the anatomy is real, what is to be found is not. It is read where the data are
present (`CLINCOT_SHARED`); results made without them have an empty column.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from clincot.phantom.drawing.anatomy import SIDES, SIZE, thorax
from clincot.phantom.drawing.layers import soft
from clincot.phantom.v2.draw import SOFTNESS, Radiograph
from clincot.phantom.v2.fine import fine_layer
from clincot.phantom.v2.objects import CONTRAST, DISTRACTORS, LESION, RADIUS, Layout, Thing

ACROSS = {"right": (0.20, 0.38), "left": (0.62, 0.80)}  # of the film's width: the patient's right lies on the left
DOWN = (0.28, 0.60)
STREAM = 45


@cache
def films(limit: int = 0) -> tuple[Radiograph, ...]:
    """Return the films, each with two objects of one size and contrast; none where the data are absent."""
    folder = Path(os.environ.get("CLINCOT_SHARED", "../shared")) / "data" / "vqa_rad"
    rows = folder / "VQA_RAD Dataset Public.json"
    if not rows.is_file():
        return ()
    asked = json.loads(rows.read_text(encoding="utf-8"))
    names = sorted({row["image_name"] for row in asked if row["image_organ"] == "CHEST"})
    return tuple(_film(folder / "images" / name, place) for place, name in enumerate(names[: limit or None]))


def _film(path: Path, place: int) -> Radiograph:
    rng = np.random.default_rng([STREAM, place])
    grey = ImageOps.fit(Image.open(path).convert("L"), (SIZE, SIZE), Image.Resampling.LANCZOS)
    image = np.asarray(grey, np.float32) / 255
    radius, contrast = RADIUS[0] * (RADIUS[1] / RADIUS[0]) ** rng.random(), float(rng.uniform(*CONTRAST))
    kinds = rng.permutation([LESION, DISTRACTORS[int(rng.integers(len(DISTRACTORS)))]])
    things = tuple(_thing(str(kind), side, radius, contrast, rng) for kind, side in zip(kinds, SIDES, strict=True))
    layout = Layout(STREAM, place, thorax(rng, False), things)
    for thing in things:
        image = image + thing.contrast * soft(thing.mask(), SOFTNESS)
    image = image + fine_layer(layout, rng)
    return Radiograph((np.clip(image, 0, 1) * 255).astype(np.uint8), layout)


def _thing(kind: str, side: str, radius: float, contrast: float, rng: np.random.Generator) -> Thing:
    centre = (float(SIZE * rng.uniform(*ACROSS[side])), float(SIZE * rng.uniform(*DOWN)))
    return Thing(kind, side, "middle", centre, float(radius), contrast, tuple(rng.uniform(0, 6.3, 3).tolist()))
