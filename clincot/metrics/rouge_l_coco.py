"""Reports and references -> mean ROUGE-L with beta 1.2, in [0, 1] (docs/metrics.md#table)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.reading import tokens
from clincot.metrics.scoring import rouge

DESCRIPTION = "(1 + b^2) PR / (R + b^2 P) of the longest common subsequence of words, b = 1.2; mean over reports."


class RougeLCoco(_metric.Metric):
    """The reading of R2Gen and its successors; about five points above rougeL on the same reports."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Lin 2004; pycocoevalcap 1.2", tokens.NAMES)

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "unicode") -> dict[str, float]:
        return {"rougeL_coco": rouge.rouge_l_coco(tokens).of(predictions, references)}
