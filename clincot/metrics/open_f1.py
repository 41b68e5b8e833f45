"""Answers to open questions and golds -> mean word F1, in [0, 1] (benchmarks.md 1.2)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _info, _open

DESCRIPTION = "2PR / (P + R) of word precision and recall after normalisation N; mean over questions."


class OpenF1(evaluate.Metric):
    """Rules as for open recall."""

    def _info(self) -> evaluate.MetricInfo:
        return _info.of_texts(DESCRIPTION, "LLaVA-Med, arXiv:2306.00890", "rule: clipped or llava-med-v1.")

    def _compute(self, predictions: list[str], references: list[str], rule: str = "clipped") -> dict[str, float]:
        return {"open_f1": _open.f1(rule).of(predictions, references)}
