"""P(yes) of yes/no questions and golds -> expected calibration error and Brier score, in [0, 1]; lower is better."""

from __future__ import annotations

import datasets
import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import calibration

DESCRIPTION = (
    "ECE: sum over 10 equal bins of P(yes) of |sum of p - number of yes golds| / n. Brier: mean of (p - y)^2, y = 1 "
    "where the gold is yes."
)


class Calibration(_metric.Metric):
    """P(yes) comes from token or digit probabilities, normalised over yes and no."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Naeini et al. 2015; Brier 1950",
            inputs_description="predictions: P(yes) in [0, 1]. references: yes or no, in any case.",
            features=datasets.Features(
                {"predictions": datasets.Value("float64"), "references": datasets.Value("string")}
            ),
        )

    def _compute(self, predictions: list[float], references: list[str]) -> dict[str, float]:
        return {
            "ece": calibration.ece().of(predictions, references),
            "brier": calibration.brier().of(predictions, references),
        }
