"""Answers to open questions and golds -> mean word F1, in [0, 1] (docs/metrics.md#table)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import open_answers

DESCRIPTION = "2PR / (P + R) of word precision and recall of the final answer; mean over questions."


class OpenF1(_metric.Metric):
    """Rules as for open recall."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "LLaVA-Med, arXiv:2306.00890", open_answers.NAMES)

    def _compute(self, predictions: list[str], references: list[str], rule: str = "clincot-v2") -> dict[str, float]:
        return {"open_f1": open_answers.f1(rule).of(predictions, references)}
