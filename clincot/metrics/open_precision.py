"""Answers to open questions and golds -> mean word precision, in [0, 1] (benchmarks.md 1.2)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _info, _open

DESCRIPTION = "Share of the answer's words that the gold holds, after normalisation N; mean over questions."


class OpenPrecision(evaluate.Metric):
    """Rules as for open recall."""

    def _info(self) -> evaluate.MetricInfo:
        return _info.of_texts(DESCRIPTION, "LLaVA-Med, arXiv:2306.00890", "rule: clipped or llava-med-v1.")

    def _compute(self, predictions: list[str], references: list[str], rule: str = "clipped") -> dict[str, float]:
        return {"open_precision": _open.precision(rule).of(predictions, references)}
