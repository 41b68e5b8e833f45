"""Answers to open questions and golds -> mean word recall, in [0, 1] (docs/metrics.md#table)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _info, _metric, _open

DESCRIPTION = "Share of the gold's words that the final answer holds; mean over questions."


class OpenRecall(_metric.Metric):
    """Rule `clipped` (default) counts a word at most as often as the gold has it; `llava-med-v1` is bug-compatible."""

    def _info(self) -> evaluate.MetricInfo:
        return _info.of_texts(DESCRIPTION, "LLaVA-Med, arXiv:2306.00890", _open.NAMES)

    def _compute(self, predictions: list[str], references: list[str], rule: str = "clincot-v2") -> dict[str, float]:
        return {"open_recall": _open.recall(rule).of(predictions, references)}
