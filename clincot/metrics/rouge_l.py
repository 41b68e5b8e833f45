"""Reports and references -> mean ROUGE-L F1, in [0, 1] (benchmarks.md 2.3)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _info, _rouge

DESCRIPTION = "2PR / (P + R) of the longest common subsequence of words (rouge_score, no stemmer); mean over reports."


class RougeL(evaluate.Metric):
    """rouge_score tokenises by itself, so raw and re-tokenised texts score alike."""

    def _info(self) -> evaluate.MetricInfo:
        return _info.of_texts(DESCRIPTION, "Lin 2004; rouge_score 0.1.2")

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return {"rougeL": _rouge.rouge_l().of(predictions, references)}
