"""Boxes that a policy looked at and the regions that a benchmark knows -> terms of pointing game, IoU and share."""

from __future__ import annotations

from collections.abc import Sequence

from clincot.evaluation.predictions import Prediction
from clincot.metrics import _grounding
from clincot.metrics.base import Score
from clincot.records import Example

GROUNDING = {
    "pointing_game": _grounding.pointing_game,
    "region_iou": _grounding.region_iou,
    "lesion_share": _grounding.lesion_share,
}


def grounding_terms(score: Score, prediction: Prediction, example: Example) -> tuple[float, ...] | None:
    """Return the terms of a box against the true boxes of the hypothesis it was proposed for; None: does not count.

    What counts are answers by region whose hypothesis the benchmark knows a region of, so the number says how well the
    tool finds what is there. Controls do not count: theirs are the regions of the row itself.
    """
    truth = true_boxes(prediction, example)
    if prediction.control or prediction.box is None or not truth:
        return None
    return score.terms(prediction.box, truth)


def true_boxes(prediction: Prediction, example: Example) -> Sequence[tuple[int, ...]]:
    name = (prediction.hypothesis or "").lower()
    return [tuple(region.box) for region in example.true_regions if region.finding.lower() == name]
