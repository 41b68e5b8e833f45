"""Boxes that a policy looked at, true boxes or masks of the benchmark -> terms of pointing game, IoU and share."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from clincot.images.true_regions import shown_regions
from clincot.metrics.scoring import grounding
from clincot.records import Example, TrueRegion
from clincot.regions.annotated import shows
from clincot.stages.evaluate.predictions import Prediction

GROUNDING = {
    "pointing_game": grounding.pointing_game,
    "region_iou": grounding.region_iou,
    "lesion_share": grounding.lesion_share,
}
INSIDE = 127  # of a mask's grey values (`TrueRegion`)


def grounding_terms(name: str, prediction: Prediction, example: Example) -> tuple[float, ...] | None:
    """Return the terms of a box against the truth about the hypothesis it was proposed for; None: does not count.

    What counts are answers by region whose hypothesis the benchmark knows a region of, so the number says how well the
    tool finds what is there; which regions show a hypothesis is what the `annotated` proposer goes by ("Left Lung":
    lung). Controls do not count: theirs are the regions of the row itself. Masks are the truth where
    all these regions have one, else their boxes.
    """
    truth = true_regions(example, prediction.hypothesis or "")
    if prediction.control or prediction.box is None or not truth:
        return None
    masks = [region.mask for region in truth if region.mask is not None]
    if len(masks) < len(truth):
        return GROUNDING[name]().terms(prediction.box, [tuple(region.box) for region in truth])
    return GROUNDING[name](truth="mask").terms(prediction.box, _inside(tuple(masks)))


def true_regions(example: Example, hypothesis: str) -> Sequence[TrueRegion]:
    """Return the regions of the shown image that show what was looked for."""
    return [region for region in shown_regions(example) if shows(region.finding, hypothesis)]


@lru_cache(8)  # three measures and several rows ask for the same masks one after another
def _inside(masks: tuple[bytes, ...]) -> np.ndarray:
    """Return the pixels (height, width) that any of the grey PNG masks holds."""
    return np.any([np.asarray(Image.open(io.BytesIO(mask)).convert("L")) > INSIDE for mask in masks], axis=0)
