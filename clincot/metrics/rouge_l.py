"""Reports and references -> mean ROUGE-L F1, in [0, 1] (benchmarks.md 2.3)."""

from __future__ import annotations

import datasets
import evaluate

from clincot.metrics import _reports

DESCRIPTION = "F1 of the longest common subsequence of words (rouge_score, no stemmer); mean over reports."


class RougeL(evaluate.Metric):
    """rouge_score tokenises by itself, so raw and re-tokenised texts score alike."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Lin 2004",
            inputs_description="predictions, references: lists of texts.",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return {"rougeL": _reports.rouge_l().of(predictions, references)}
