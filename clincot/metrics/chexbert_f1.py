"""Reports and references -> F1 over CheXbert labels by RadEval, in [0, 1]; needs extra `clinical`."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import radeval

DESCRIPTION = "F1 of the 14 and of 5 labels that a BERT labeller gives both reports; uncertain counts as present."


class ChexbertF1(_metric.Metric):
    """RadEval downloads the weights on first use. Its names and rounding (four digits) are kept."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, "Smit et al. 2020 (CheXbert); RadEval, jbdel/RadEval")

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return radeval.radeval_scores("f1chexbert", predictions, references)
