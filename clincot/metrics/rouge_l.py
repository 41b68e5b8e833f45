"""Reports and references -> mean ROUGE-L F1, in [0, 1] (docs/metrics.md#table)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import rouge

DESCRIPTION = "2PR / (P + R) of the longest common subsequence of words (rouge_score, no stemmer); mean over reports."


class RougeL(_metric.Metric):
    """Tokenises by itself, so raw and re-tokenised texts score alike; rouge_score's own words are a-z and 0-9 alone."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Lin 2004; rouge_score 0.1.2", rouge.NAMES)

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "unicode") -> dict[str, float]:
        return {"rougeL": rouge.rouge_l(tokens).of(predictions, references)}
