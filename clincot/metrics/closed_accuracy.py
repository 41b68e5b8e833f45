"""Answers to closed questions and golds -> accuracy under a named rule, in [0, 1] (docs/metrics.md#closed-rules)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import closed

DESCRIPTION = "Share of right answers, yes/no golds and other golds apart, and how many answers say neither yes nor no."


class ClosedAccuracy(_metric.Metric):
    """The default rule reads answers as a careful reader does; most others reproduce published evaluation code."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "LLaVA-Med, arXiv:2306.00890", f"rule: {', '.join(closed.RULES)}.")

    def _compute(self, predictions: list[str], references: list[str], rule: str = "clincot-v2") -> dict[str, float]:
        score = closed.accuracy(rule)
        asked = list(zip(predictions, references, strict=True))
        yes_no = [(p, g) for p, g in asked if closed.is_yes_no(g, rule)]
        other = [(p, g) for p, g in asked if not closed.is_yes_no(g, rule)]
        return {
            "closed_accuracy": score.of(predictions, references),
            "closed_yesno_accuracy": score.of([p for p, _ in yes_no], [g for _, g in yes_no]),
            "closed_other_accuracy": score.of([p for p, _ in other], [g for _, g in other]),
            "unparsed": float(sum(closed.UNPARSED.get(rule, closed.unparsed)(p, g) for p, g in asked)),
        }
