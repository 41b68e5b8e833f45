"""Answers and comma-list golds -> share of equal lists in any order, and of parts found, in [0, 1]."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import open_answers

DESCRIPTION = (
    "Both sides are cut at commas, semicolons and the word and, each part normalised by N; a hit is equality "
    "of the parts as multisets. open_recall_unordered is the share of the gold's parts that the answer holds."
)


class OpenExactUnordered(_metric.Metric):
    """For golds that list several things (SLAKE: "Lung, Spinal Cord"); a single word scores as in open_exact."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "this project; golds of Liu et al. 2021 (SLAKE)")

    def _compute(self, predictions: list[str], references: list[str], rule: str = "clincot-v2") -> dict[str, float]:
        return {
            "open_exact_unordered": open_answers.exact_unordered(rule).of(predictions, references),
            "open_recall_unordered": open_answers.recall_unordered(rule).of(predictions, references),
        }
