"""Reports and references -> mean NLTK METEOR with WordNet synonyms, in [0, 1] (docs/metrics.md#tokens-of-reports)."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.reading import tokens
from clincot.metrics.scoring import meteor

DESCRIPTION = "METEOR as meteor, whose matches also take WordNet synonyms; mean over reports."


class MeteorWordnet(_metric.Metric):
    """Needs NLTK's WordNet data and says how to get them; at most 0.2 points above meteor on real reports."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Banerjee and Lavie 2005; NLTK; WordNet 3.0", tokens.NAMES)

    def _compute(self, predictions: list[str], references: list[str], tokens: str = "unicode") -> dict[str, float]:
        return {"meteor_wordnet": meteor.meteor_wordnet(tokens).of(predictions, references)}
