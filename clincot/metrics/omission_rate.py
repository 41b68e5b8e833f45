"""Reports and references -> share of the reference findings that the report lacks, in [0, 1]; lower is better."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import labels

DESCRIPTION = (
    "Sum over reports of the reference's labels that the report does not state / sum of the reference's labels."
)


class OmissionRate(_metric.Metric):
    """Findings are the CheXpert labels of `chexpert_f1` without No Finding; references without any score 0."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, labels.SOURCE, labels.NAMES)

    def _compute(
        self, predictions: list[str], references: list[str], rule: str = "uncertain-positive"
    ) -> dict[str, float]:
        return {"omission_rate": labels.omission_rate(rule).of(predictions, references)}
