"""A report and its reference -> F1 over the 14 CheXpert labels, and the rates of invented and of missed findings.

Per label TP, FP, FN over reports. Micro F1 = 2 TP / (2 TP + FP + FN) of the sums; macro F1 = mean over the labels that
occur on either side. Hallucination rate = invented / said, omission rate = missed / wanted, both without No Finding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics.base import Score, mean
from clincot.metrics.findings.labeler import positives, refused
from clincot.metrics.findings.labeler_v1 import positives as positives_v1
from clincot.metrics.findings.phrases import LABELS, NO_FINDING

FIVE = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")
RULES: dict[str, Callable[[str], frozenset[str]]] = {
    "uncertain-positive": positives,
    "uncertain-negative": partial(positives, uncertain=False),
    "uncertain-positive-v1": positives_v1,  # the labeler of clincot-v1, which stays as it was
    "uncertain-negative-v1": partial(positives_v1, uncertain=False),
}
SOURCE = "rules of this project; labels of Irvin et al. 2019 (CheXpert)"
NAMES = "rule: uncertain-positive (the default) or uncertain-negative; with -v1, the labeler of clincot-v1."


def _both(prediction: str, gold: str, rule: str) -> tuple[frozenset[str], frozenset[str]]:
    if rule not in RULES:
        raise ClincotError(f"label rule {rule!r}: no such rule.{did_you_mean(rule, RULES)}")
    return RULES[rule](prediction), RULES[rule](gold)


def label_terms(prediction: str, gold: str, labels: tuple[str, ...], rule: str) -> tuple[float, ...]:
    """Return TP, FP and FN of every label: 3 * len(labels) summable counts."""
    said, wanted = _both(prediction, gold, rule)
    sides = (said & wanted, said - wanted, wanted - said)
    return tuple(float(label in side) for side in sides for label in labels)


def _f1(sums: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """(..., 3k) counts -> F1 per label or of their sum, and whether anything occurred."""
    counts = sums.reshape(*sums.shape[:-1], 3, -1)
    hit, extra, missed = np.moveaxis(counts if axis is None else counts.sum(axis, keepdims=True), -2, 0)
    whole = 2 * hit + extra + missed
    return 2 * hit / np.maximum(whole, 1e-300), whole > 0


def micro_value(sums: np.ndarray) -> np.ndarray:
    return _f1(sums, -1)[0][..., 0]


def macro_value(sums: np.ndarray) -> np.ndarray:
    values, known = _f1(sums, None)
    return values.sum(-1) / np.maximum(known.sum(-1), 1)


def micro_f1(rule: str = "uncertain-positive", labels: tuple[str, ...] = LABELS) -> Score:
    return Score(partial(label_terms, labels=labels, rule=rule), micro_value)


def macro_f1(rule: str = "uncertain-positive", labels: tuple[str, ...] = LABELS) -> Score:
    return Score(partial(label_terms, labels=labels, rule=rule), macro_value)


def _share(sums: np.ndarray) -> np.ndarray:
    """(..., 2) -> share, 0 where nothing was said or wanted: nothing could be invented or missed."""
    return sums[..., 0] / np.maximum(sums[..., 1], 1.0)


def _invented(prediction: str, gold: str, rule: str) -> tuple[float, float]:
    said, wanted = (side - {NO_FINDING} for side in _both(prediction, gold, rule))
    return float(len(said - wanted)), float(len(said))


def hallucination_rate(rule: str = "uncertain-positive") -> Score:
    return Score(partial(_invented, rule=rule), _share)


def omission_rate(rule: str = "uncertain-positive") -> Score:
    """The same count with the sides exchanged."""
    return Score(lambda prediction, gold: _invented(gold, prediction, rule), _share)


def report_refused() -> Score:
    """The share of reports that refuse to read the image; the reference plays no part in it."""
    return mean(lambda prediction, gold: refused(prediction))
