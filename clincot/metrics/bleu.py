"""Reports and references -> cumulative corpus BLEU-1..4 and their mean, in [0, 1] (benchmarks.md 2.3)."""

from __future__ import annotations

import datasets
import evaluate

from clincot.metrics import _reports

DESCRIPTION = "Corpus BLEU with uniform weights over orders 1 to n, no smoothing, and the mean of the four."


class Bleu(evaluate.Metric):
    """`tokens`: wordpunct (lower-cased words and punctuation, the default) or whitespace."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Papineni et al. 2002",
            inputs_description="predictions, references: lists of texts. tokens: wordpunct or whitespace.",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "wordpunct") -> dict[str, float]:
        values = {f"bleu{n}": _reports.bleu(n, tokens).of(predictions, references) for n in _reports.ORDERS}
        return {**values, "bleu_mean": _reports.bleu_mean(tokens).of(predictions, references)}
