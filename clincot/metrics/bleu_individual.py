"""Reports and references -> corpus BLEU of each single n-gram order 1..4 and their mean, in [0, 1]."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.reading import tokens
from clincot.metrics.scoring import bleu

DESCRIPTION = "BP * p_n from counts of the whole corpus, no smoothing, n = 1..4, and the mean of the four."


class BleuIndividual(_metric.Metric):
    """LLaVA-Med's code has these weights; published values look like them (docs/benchmarks.md#published-protocols)."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(
            DESCRIPTION, "Papineni et al. 2002; weights of LLaVA-Med, arXiv:2306.00890", tokens.NAMES
        )

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "unicode") -> dict[str, float]:
        names = ("mean", *map(str, bleu.ORDERS))
        scores = {f"bleu_individual_{n}": getattr(bleu, f"individual_{n}")(tokens) for n in names}
        return {name: score.of(predictions, references) for name, score in scores.items()}
