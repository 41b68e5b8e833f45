"""The contract of a score: one prediction and its gold -> terms, and the sums of terms over questions -> the value.

Every metric here is a function of sums over questions (a mean is total / count, corpus BLEU ten sums), so a bootstrap
recomputes it for a thousand resamples with one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


def ratio(sums: np.ndarray) -> np.ndarray:
    """(..., 2) totals and counts -> (...) means; nan where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan)


@dataclass(frozen=True)
class Score:
    """`terms(prediction, gold)` of one question; `value` maps their sums (..., k) to values (...) in [0, 1].

    Predictions and golds are texts, except for grounding (box, true boxes or mask) and calibration (P(yes), gold).
    """

    terms: Callable[[Any, Any], tuple[float, ...]]
    value: Callable[[np.ndarray], np.ndarray] = ratio

    def of(self, predictions: Sequence[Any], golds: Sequence[Any]) -> float:
        """Return the value over all questions; 0.0 for none, because `evaluate` passes empty input on."""
        if not predictions:
            return 0.0
        sums = np.sum([self.terms(p, g) for p, g in zip(predictions, golds, strict=True)], axis=0, dtype=float)
        return float(self.value(sums))


def mean(score: Callable[[Any, Any], float]) -> Score:
    """Return the mean of a per-question score."""
    return Score(lambda prediction, gold: (float(score(prediction, gold)), 1.0))
