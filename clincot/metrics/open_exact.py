"""Answers and golds -> share of equal ones after the rule's normal form, in [0, 1] (docs/metrics.md#table)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import open_answers

DESCRIPTION = "Share of answers equal to their gold after normalisation; an empty gold never matches."


class OpenExact(_metric.Metric):
    """Equality of words in any script by default; other rules have the normal forms of other toolkits."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "LLaVA-Med, arXiv:2306.00890", f"rule: {', '.join(open_answers.EXACT)}.")

    def _compute(self, predictions: list[str], references: list[str], rule: str = "clincot-v2") -> dict[str, float]:
        return {"open_exact": open_answers.exact(rule).of(predictions, references)}
