"""Reports and references -> cumulative corpus BLEU-1..4 and their mean, in [0, 1] (docs/metrics.md#table)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.reading import tokens
from clincot.metrics.scoring import bleu

DESCRIPTION = (
    "BP * (p_1 ... p_n)^(1/n) from counts of the whole corpus, no smoothing, n = 1..4, and the mean of the four."
)


class Bleu(_metric.Metric):
    """Matches and n-grams are summed over reports before they are divided."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Papineni et al. 2002", tokens.NAMES)

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "unicode") -> dict[str, float]:
        names = ("bleu_mean", "bleu1", "bleu2", "bleu3", "bleu4")
        return {name: getattr(bleu, name)(tokens).of(predictions, references) for name in names}
