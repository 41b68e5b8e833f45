"""Answers and golds -> share of equal ones after the rule's normal form, in [0, 1] (benchmarks.md 1.3)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _info, _open

DESCRIPTION = "Share of answers equal to their gold after normalisation; an empty gold never matches."


class OpenExact(evaluate.Metric):
    """Rules: `default` (normalisation N), `lmms-eval`, `clincot-strict`."""

    def _info(self) -> evaluate.MetricInfo:
        return _info.of_texts(DESCRIPTION, "LLaVA-Med, arXiv:2306.00890", "rule: default, lmms-eval or clincot-strict.")

    def _compute(self, predictions: list[str], references: list[str], rule: str = "default") -> dict[str, float]:
        return {"open_exact": _open.exact(rule).of(predictions, references)}
