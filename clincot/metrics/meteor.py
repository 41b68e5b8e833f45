"""Reports and references -> mean NLTK METEOR of exact and stem matches, in [0, 1] (docs/metrics.md#table)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.reading import tokens
from clincot.metrics.scoring import meteor

DESCRIPTION = "10PR / (R + 9P) * (1 - .5 (chunks / matches)^3) of words equal or equal in stem; mean over reports."


class Meteor(_metric.Metric):
    """Needs no corpus download; the METEOR-1.5 jar gives about half of these values."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Banerjee and Lavie 2005; NLTK", tokens.NAMES)

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "unicode") -> dict[str, float]:
        return {"meteor": meteor.meteor(tokens).of(predictions, references)}
