"""P(yes) of yes/no questions and their golds -> expected calibration error and Brier score, both in [0, 1], 0 is best.

ECE = sum over 10 equal bins of |sum of p - number of yes| / n (Naeini et al. 2015, on P(yes)). Brier = mean (p - y)^2.
"""

from __future__ import annotations

import math

import numpy as np

from clincot.errors import DataError
from clincot.metrics.base import Score, mean
from clincot.metrics.reading.normalisation import normalise

BINS = 10


def _truth(gold: str) -> float:
    said = normalise(gold)
    if said not in ("yes", "no"):
        raise DataError(f"calibration: the gold {gold[:40]!r} is neither yes nor no. Leave such questions out.")
    return float(said == "yes")


def _probability(value: float) -> float:
    if not (math.isfinite(value) and 0.0 <= value <= 1.0):
        raise DataError(f"calibration: {value!r} is not a probability. Give P(yes) in [0, 1].")
    return float(value)


def ece_terms(probability: float, gold: str) -> tuple[float, ...]:
    """Return, per bin [b/10, (b+1)/10) (the last closed), sum of p and number of yes, then 1: 21 summable counts."""
    p, y = _probability(probability), _truth(gold)
    terms = np.zeros(2 * BINS + 1)
    which = min(int(p * BINS), BINS - 1)
    terms[[which, BINS + which, -1]] = p, y, 1.0
    return tuple(terms.tolist())


def ece_value(sums: np.ndarray) -> np.ndarray:
    gaps = np.abs(sums[..., :BINS] - sums[..., BINS : 2 * BINS]).sum(-1)
    return gaps / np.maximum(sums[..., -1], 1.0)


def ece() -> Score:
    return Score(ece_terms, ece_value)


def brier() -> Score:
    return mean(lambda probability, gold: (_probability(probability) - _truth(gold)) ** 2)
