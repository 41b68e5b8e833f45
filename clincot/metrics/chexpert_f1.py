"""Reports and references -> micro and macro F1 over the 14 CheXpert labels by rules, in [0, 1]."""

from __future__ import annotations

import evaluate

from clincot.metrics import _metric
from clincot.metrics.scoring import labels

DESCRIPTION = (
    "Labels by phrases with negation and uncertainty. Micro: 2TP / (2TP + FP + FN) over all labels; macro: "
    "mean F1 of the labels that occur on either side. Uncertain counts as present unless the rule says "
    "otherwise."
)


class ChexpertF1(_metric.Metric):
    """No weights. `_5`: cardiomegaly, edema, consolidation, atelectasis and pleural effusion alone."""

    def _info(self) -> evaluate.MetricInfo:
        return _metric.of_texts(DESCRIPTION, labels.SOURCE, labels.NAMES)

    def _compute(
        self, predictions: list[str], references: list[str], rule: str = "uncertain-positive"
    ) -> dict[str, float]:
        scores = {
            "chexpert_micro_f1": labels.micro_f1(rule),
            "chexpert_macro_f1": labels.macro_f1(rule),
            "chexpert_micro_f1_5": labels.micro_f1(rule, labels.FIVE),
            "chexpert_macro_f1_5": labels.macro_f1(rule, labels.FIVE),
        }
        return {name: score.of(predictions, references) for name, score in scores.items()}
