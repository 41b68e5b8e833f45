"""Reports and references -> mean over reports of BLEU-1..4, cumulative and of single orders, in [0, 1]."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.reading import tokens
from clincot.metrics.scoring import bleu

DESCRIPTION = (
    "BLEU of each report by itself, then the mean: bleu_sentence_n is BP * (p_1 ... p_n)^(1/n), "
    "bleu_sentence_individual_n is BP * p_n, both with the mean of the four."
)


class BleuSentence(_metric.Metric):
    """Equals the mean of nltk's `sentence_bleu` without smoothing: a report without a common n-gram gives 0."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Papineni et al. 2002; nltk sentence_bleu", tokens.NAMES)

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "unicode") -> dict[str, float]:
        names = [f"{kind}{n}" for kind in ("", "individual_") for n in ("mean", *bleu.ORDERS)]
        scores = {f"bleu_sentence_{n}": getattr(bleu, f"sentence_{n}")(tokens) for n in names}
        return {name: score.of(predictions, references) for name, score in scores.items()}
