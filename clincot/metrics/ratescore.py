"""Reports and references -> RaTEScore by RadEval, in [0, 1]; needs extra `clinical`."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import radeval

DESCRIPTION = "Similarity of the medical entities of both reports, aware of synonyms and negation; mean over reports."


class Ratescore(_metric.Metric):
    """RadEval downloads the weights on first use. Its names and rounding (four digits) are kept."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Zhao et al. 2024 (RaTEScore); RadEval, jbdel/RadEval")

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return radeval.radeval_scores("ratescore", predictions, references)
