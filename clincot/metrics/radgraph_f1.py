"""Reports and references -> F1 over RadGraph entities and relations by RadEval, in [0, 1]; needs extra `clinical`."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import radeval

DESCRIPTION = "F1 of the entities and relations of both reports: simple, partial and complete matches."


class RadgraphF1(_metric.Metric):
    """RadEval downloads the weights on first use. Its names and rounding (four digits) are kept."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Jain et al. 2021 (RadGraph); RadEval, jbdel/RadEval")

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return radeval.radeval_scores("radgraph", predictions, references)
