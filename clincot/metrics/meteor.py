"""Reports and references -> mean NLTK METEOR of exact and stem matches, in [0, 1] (benchmarks.md 2.3, 2.5)."""

from __future__ import annotations

import datasets
import evaluate

from clincot.metrics import _reports

DESCRIPTION = "NLTK METEOR (alpha .9, beta 3, gamma .5) without WordNet synonyms; mean over reports."


class Meteor(evaluate.Metric):
    """Needs no corpus download; the METEOR-1.5 jar gives about half of these values."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Banerjee and Lavie 2005",
            inputs_description="predictions, references: lists of texts. tokens: wordpunct or whitespace.",
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "wordpunct") -> dict[str, float]:
        return {"meteor": _reports.meteor(tokens).of(predictions, references)}
