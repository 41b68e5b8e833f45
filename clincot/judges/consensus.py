"""The scores of the judges of one candidate -> one score in [0, 1], low where they disagree (Eq. 4).

The paper fixes two judges and "to penalize controversial assessments", not the formula: `agreement`, the most literal
one, is ours, as are the others (docs/methods.md#eq-4-consensus). With more than two judges the difference d is the mean
over all pairs; with one judge every kind is the identity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations

from clincot.errors import RecipeError, did_you_mean
from clincot.records import JudgeScore

LAMBDA = 0.5  # of mean_minus: larger values make the score fall when one judge rates higher

DEBATE = "debate"  # the name of a debate's outcome, which comes after the judges' own scores
OTHERS = ("min", DEBATE)  # read the scores themselves
# (mean of the scores, mean pairwise difference) -> score
KINDS: dict[str, Callable[[float, float], float]] = {
    # Scores of an undivided Eq. 3 may differ by more than 1.
    "agreement": lambda mean, difference: mean * max(0.0, 1 - difference),
    "exp": lambda mean, difference: mean * math.exp(-difference),
    "mean_minus": lambda mean, difference: mean - LAMBDA * difference,
    "mean": lambda mean, difference: mean,
}


def counted(kind: str, scores: Sequence[JudgeScore], judges: int = 0) -> tuple[JudgeScore, ...]:
    """Return the scores that a consensus of `kind` reads: those of the first `judges`, or of the debate.

    `judges`: 0 for all, -1 for the last one alone.

    Raises RecipeError for a debate that these candidates never had.
    """
    own = tuple(score for score in scores if score.judge != DEBATE)
    if kind != DEBATE:
        return own[judges:] if judges < 0 else own[: judges or None]
    if own and len(own) == len(scores):
        raise RecipeError(
            "build.judging.consensus: the judges of these candidates held no debate. Build the round again, or choose"
            f" one of {', '.join(KINDS)}, min."
        )
    return tuple(score for score in scores if score.judge == DEBATE)


def consensus(kind: str, scores: Sequence[float | None]) -> float | None:
    """Return the consensus of `scores`, each in [0, 1]; None as soon as one judge failed.

    After a `debate` the last score is its outcome. `agreement` is not monotone in one judge: (0.5, 0.5) ranks above
    (1, 0.5). Raises RecipeError for an unknown kind.
    """
    if kind not in (*KINDS, *OTHERS):
        raise RecipeError(f"build.judging.consensus: {kind!r} is not a choice.{did_you_mean(kind, [*KINDS, *OTHERS])}")
    if kind == DEBATE:
        return scores[-1] if scores else None
    known = [score for score in scores if score is not None]
    if not known or len(known) < len(scores):
        return None
    if kind == "min":
        return min(known)
    differences = [abs(a - b) for a, b in combinations(known, 2)]
    difference = sum(differences) / len(differences) if differences else 0.0
    return KINDS[kind](sum(known) / len(known), difference)
