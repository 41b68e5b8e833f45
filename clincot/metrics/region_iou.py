"""Predicted boxes and true regions -> mean intersection over union, in [0, 1]."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import grounding

DESCRIPTION = "Pixels in both / pixels in either, the true boxes taken as one region; mean over examples."


class RegionIou(_metric.Metric):
    """References: true boxes, or with truth="mask" rows of pixels; an example without any true pixel does not count."""

    several_references = True

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_boxes(DESCRIPTION, "Everingham et al. 2010 (PASCAL VOC)")

    def _compute(
        self, predictions: list[list[int]], references: list[list[list[int]]], truth: str = "boxes"
    ) -> dict[str, float]:
        return {"region_iou": grounding.region_iou(truth).of(predictions, references)}
