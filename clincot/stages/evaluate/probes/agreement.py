"""Verdicts and ratings of the same answers -> how far they agree: Cohen's kappa, Kendall's tau-b, on all resamples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clincot.metrics.base import Score
from clincot.records import Example
from clincot.stages.evaluate.results import Resampling, Scored

Verdicts = Sequence[tuple[Example, bool, float]]  # an answer: is it an exact match, and the judge's rating of it
RIGHT = 0.5  # a rating from here on calls the answer right


def kappa(verdicts: Verdicts, resampling: Resampling) -> Scored | None:
    """Return Cohen's kappa of the exact match and of the judge's verdict: (p_o - p_e) / (1 - p_e).

    p_o is the share of equal verdicts, p_e the share that the two shares of "right" give by chance. nan where all
    verdicts of both are the same one: agreement cannot be told from chance.
    """
    terms = [(example, _cell(exact, rating >= RIGHT)) for example, exact, rating in verdicts]
    return resampling.score(terms, Score(lambda _, __: (), _kappa))


def tau_b(verdicts: Verdicts, resampling: Resampling) -> Scored | None:
    """Return Kendall's tau-b of the exact match (0 or 1) and of the rating: (P - Q) / sqrt((n0 - n1)(n0 - n2)).

    P and Q count pairs of answers that both order alike and otherwise, n0 all pairs, n1 and n2 those that the match, or
    the rating, ties. nan where either ties all.
    """
    if not verdicts:
        return None
    places = [resampling.images[example.image_id] for example, _, _ in verdicts]
    exact, ratings = np.array([e for _, e, _ in verdicts]), np.array([r for _, _, r in verdicts])
    value = _tau_b(np.ones((1, len(verdicts))), exact, ratings)[0]
    return Scored(float(value), _tau_b(resampling.counts[:, places], exact, ratings), len(verdicts))


def _cell(exact: bool, judged: bool) -> tuple[float, ...]:
    return tuple(
        float((exact, judged) == cell) for cell in ((True, True), (False, True), (True, False), (False, False))
    )


def _kappa(sums: np.ndarray) -> np.ndarray:
    """(..., 4) counts of both, the judge alone, the match alone, neither -> (...) kappas."""
    both, judge, match, neither = (sums[..., i] for i in range(4))
    with np.errstate(invalid="ignore", divide="ignore"):
        n = sums.sum(-1)
        observed = (both + neither) / n
        chance = ((both + judge) * (both + match) + (neither + judge) * (neither + match)) / n**2
        return np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)


def _tau_b(weights: np.ndarray, exact: np.ndarray, ratings: np.ndarray) -> np.ndarray:
    """(resamples, answers) times that each answer was drawn -> (resamples,) values."""
    above = np.sign(np.subtract.outer(ratings[exact], ratings[~exact]))
    right, wrong = weights[:, exact], weights[:, ~exact]
    ordered = ((right @ above) * wrong).sum(1)
    every = _pairs(weights.sum(1))
    of_match = _pairs(right.sum(1)) + _pairs(wrong.sum(1))
    of_rating = sum(
        (_pairs(weights[:, ratings == value].sum(1)) for value in np.unique(ratings)), np.zeros(len(weights))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return ordered / np.sqrt((every - of_match) * (every - of_rating))


def _pairs(count: np.ndarray) -> np.ndarray:
    return count * (count - 1) / 2
