"""A judge's score of a candidate and of its next responses -> its total score (Eq. 3)."""

from __future__ import annotations

from collections.abc import Sequence


def total(own: float | None, following: float | None, gamma: float, normalise: bool = True) -> float | None:
    """Return (own + gamma * following) / (1 + gamma), in [0, 1] when both are.

    `following` None (last step, or no next response could be rated) counts as gamma 0. The division is ours: it keeps
    the scale of Eq. 4 and 7; without `normalise` the sum is Eq. 3 as printed, in [0, 1 + gamma]. A failed own score
    stays a failure.
    """
    if own is None or following is None:
        return own
    undivided = own + gamma * following
    return undivided / (1 + gamma) if normalise else undivided


def expected(ratings: Sequence[float | None]) -> float | None:
    """Return the mean over the next responses that could be rated, None when none could: E in Eq. 3 by sampling."""
    known = [rating for rating in ratings if rating is not None]
    return sum(known) / len(known) if known else None
