"""A metric's name -> its `evaluate.Metric` class, or the plain scores behind it (`import evaluate` costs 6 s)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clincot.choices import choose

if TYPE_CHECKING:
    from clincot.metrics.base import Score

METRICS = {
    "open_recall": "clincot.metrics.open_recall:OpenRecall",
    "open_f1": "clincot.metrics.open_f1:OpenF1",
    "open_exact": "clincot.metrics.open_exact:OpenExact",
    "closed_accuracy": "clincot.metrics.closed_accuracy:ClosedAccuracy",
    "bleu": "clincot.metrics.bleu:Bleu",
    "rougeL": "clincot.metrics.rouge_l:RougeL",
    "meteor": "clincot.metrics.meteor:Meteor",
}
SCORES = {
    "open_recall": "clincot.metrics._open:recall",
    "open_precision": "clincot.metrics._open:precision",
    "open_f1": "clincot.metrics._open:f1",
    "open_exact": "clincot.metrics._open:exact",
    "closed_accuracy": "clincot.metrics._closed:accuracy",
    "closed_unparsed": "clincot.metrics._closed:unparsed_rate",
    "bleu1": "clincot.metrics._reports:bleu1",
    "bleu2": "clincot.metrics._reports:bleu2",
    "bleu3": "clincot.metrics._reports:bleu3",
    "bleu4": "clincot.metrics._reports:bleu4",
    "bleu_mean": "clincot.metrics._reports:bleu_mean",
    "rougeL": "clincot.metrics._reports:rouge_l",
    "meteor": "clincot.metrics._reports:meteor",
}


def load(name: str) -> Any:
    """Return the `evaluate.Metric` called `name`; the same as `evaluate.load` of its file."""
    return choose(METRICS, name, "metric")()


def load_score(name: str, rule: str = "") -> Score:
    """Return the plain score called `name`, under `rule` where it knows more than one."""
    make = choose(SCORES, name, "metric")
    return make(rule) if rule else make()
