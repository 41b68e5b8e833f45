"""Predicted boxes and true regions -> mean share of the lesion pixels inside the box, in [0, 1]."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import grounding

DESCRIPTION = (
    "Pixels in both / pixels of the true region; mean over examples. The whole image scores 1: read it with IoU."
)


class LesionShare(_metric.Metric):
    """References: true boxes, or with truth="mask" rows of pixels; an example without any true pixel does not count."""

    several_references = True

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_boxes(DESCRIPTION, "this project")

    def _compute(
        self, predictions: list[list[int]], references: list[list[list[int]]], truth: str = "boxes"
    ) -> dict[str, float]:
        return {"lesion_share": grounding.lesion_share(truth).of(predictions, references)}
