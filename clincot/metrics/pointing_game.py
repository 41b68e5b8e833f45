"""Predicted boxes and true regions -> share whose centre lies in the true region, in [0, 1]."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import grounding

DESCRIPTION = "1 if the centre of the predicted box lies inside the true boxes or mask, else 0; mean over examples."


class PointingGame(_metric.Metric):
    """References: true boxes, or with truth="mask" rows of pixels; an example without any true pixel does not count."""

    several_references = True

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_boxes(
            DESCRIPTION, "Zhang et al. 2018 (Excitation Backprop), with the centre of a box as its point"
        )

    def _compute(
        self, predictions: list[list[int]], references: list[list[list[int]]], truth: str = "boxes"
    ) -> dict[str, float]:
        return {"pointing_game": grounding.pointing_game(truth).of(predictions, references)}
