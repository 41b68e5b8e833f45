"""The base of every metric file: an `evaluate.Metric` that can be combined with all others and their options."""

from __future__ import annotations

import inspect
from typing import Any

import datasets
import evaluate

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics import METRICS

OPTIONS = ("rule", "tokens", "truth")
TEXTS = "predictions, references: lists of texts."
BOXES = "predictions: boxes (left, upper, right, lower), [] for none. truth: boxes (the default) or mask."


class Metric(evaluate.Metric):
    """`evaluate.combine` gives every metric all keywords: the options of other metrics here are not for this one.

    An option may be meant for one metric alone: `bleu_tokens="whitespace"`, `closed_accuracy_rule="lmms-eval"`.
    """

    several_references = False

    def compute(self, *, predictions: Any = None, references: Any = None, **options: Any) -> dict[str, Any] | None:
        """Return the values; raises ClincotError for an option that no metric has, and for several references a row."""
        if not self.several_references:
            _check_single(references)
        found: dict[str, Any] | None = super().compute(
            predictions=predictions, references=references, **self._own(options)
        )
        return found

    def _own(self, options: dict[str, Any]) -> dict[str, Any]:
        mine = [name for name in inspect.signature(self._compute).parameters if name in OPTIONS]
        known = {*OPTIONS, *(f"{metric}_{option}" for metric in METRICS for option in OPTIONS)}
        called = next((name for name, place in METRICS.items() if place.endswith(f":{type(self).__name__}")), "")
        for name in options:
            if name not in known:
                raise ClincotError(f"compute: {name!r} is no option of a metric.{did_you_mean(name, known)}")
        shared = {name: options[name] for name in mine if name in options}
        return shared | {name: options[f"{called}_{name}"] for name in mine if f"{called}_{name}" in options}


def of_texts(description: str, source: str, options: str = "") -> evaluate.MetricInfo:
    """`options` names the keyword arguments of `compute`; an empty list of texts is allowed and scores 0."""
    features = {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
    return evaluate.MetricInfo(
        description=description,
        citation=source,
        inputs_description=f"{TEXTS} {options}".strip(),
        features=datasets.Features(features),
    )


def of_boxes(description: str, source: str) -> evaluate.MetricInfo:
    """A prediction is one box; a reference is the true boxes, or the rows of pixels of a mask."""
    features = {
        "predictions": datasets.Sequence(datasets.Value("int64")),
        "references": datasets.Sequence(datasets.Sequence(datasets.Value("int64"))),
    }
    return evaluate.MetricInfo(
        description=description,
        citation=source,
        inputs_description=BOXES,
        features=datasets.Features(features),
    )


def _check_single(references: Any) -> None:
    for row, reference in enumerate(references if references is not None else ()):
        if isinstance(reference, list | tuple):
            raise ClincotError(
                f"references, row {row}: holds {len(reference)} texts. Give one text a row; for several references,"
                " compute the metric once per reference and decide yourself whether the best or the mean counts."
            )
