"""Reports and references -> share of the stated findings that the reference lacks, in [0, 1]; lower is better."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.findings import labeler
from clincot.metrics.scoring import labels

DESCRIPTION = (
    "Sum over reports of labels said but not in the reference / sum of labels said, and how many reports refuse to "
    "read the image: they state nothing, so they invent nothing."
)


class HallucinationRate(_metric.Metric):
    """Findings are the CheXpert labels of `chexpert_f1` without No Finding; a corpus that states none scores 0."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, labels.SOURCE, labels.NAMES)

    def _compute(
        self, predictions: list[str], references: list[str], rule: str = "uncertain-positive"
    ) -> dict[str, float]:
        return {
            "hallucination_rate": labels.hallucination_rate(rule).of(predictions, references),
            "refused": float(sum(labeler.refused(prediction) for prediction in predictions)),
        }
