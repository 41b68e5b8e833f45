"""The base of every metric file: an `evaluate.Metric` that can be combined with the others, whatever their options."""

from __future__ import annotations

import inspect
from typing import Any

import evaluate

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics import METRICS

OPTIONS = ("rule", "tokens", "truth")


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


def _check_single(references: Any) -> None:
    for row, reference in enumerate(references if references is not None else ()):
        if isinstance(reference, list | tuple):
            raise ClincotError(
                f"references, row {row}: holds {len(reference)} texts. Give one text a row; for several references,"
                " compute the metric once per reference and decide yourself whether the best or the mean counts."
            )
