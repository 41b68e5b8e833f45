"""Answers to open questions and golds -> mean word recall and precision, in [0, 1] (benchmarks.md 1.2)."""

from __future__ import annotations

import datasets
import evaluate

from clincot.metrics import _open

DESCRIPTION = "Share of the gold's words that the answer holds, after normalisation N; mean over questions."


class OpenRecall(evaluate.Metric):
    """Rule `clipped` (default) counts a word at most as often as the gold has it; `llava-med-v1` is bug-compatible."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="LLaVA-Med, arXiv:2306.00890",
            inputs_description="predictions, references: lists of texts. rule: clipped or llava-med-v1.",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str], rule: str = "clipped") -> dict[str, float]:
        return {
            "open_recall": _open.recall(rule).of(predictions, references),
            "open_precision": _open.precision(rule).of(predictions, references),
        }
