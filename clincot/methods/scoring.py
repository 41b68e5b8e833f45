"""What the judges gave a candidate -> its total per judge (Eq. 3) and its consensus (Eq. 4); no model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clincot.judges.base import Rating
from clincot.judges.consensus import consensus, counted
from clincot.judges.lookahead import total
from clincot.methods.clincot_config import Lookahead
from clincot.recipe import Judging
from clincot.records import Candidate, JudgeScore


def scored(candidate: Candidate, lookahead: Lookahead, judging: Judging) -> Candidate:
    """Return the candidate with `total` and `score` by the recipe's gamma, number of judges and consensus."""
    sampled = any(text.strip() for text in candidate.lookahead)
    scores = tuple(_totalled(score, lookahead, sampled) for score in candidate.judge_scores)
    read = counted(judging.consensus, scores, judging.judges)
    return replace(
        candidate,
        judge_scores=scores,
        score=consensus(judging.consensus, [score.total for score in read]),
    )


def _totalled(score: JudgeScore, lookahead: Lookahead, sampled: bool) -> JudgeScore:
    # With gamma 0 a stored look-ahead score counts nothing, as if it had never been sampled.
    if sampled and score.next is None and lookahead.gamma and not lookahead.normalise:
        return replace(score, total=None)  # its own score alone would lie below those of its step by missing a term
    return replace(score, total=total(score.own, score.next, lookahead.gamma, lookahead.normalise))


def judged(candidate: Candidate, names: Sequence[str], ratings: Sequence[Rating]) -> Candidate:
    """Return a candidate without look-ahead with what each of the judges called `names` gave it."""
    given = zip(names, ratings, strict=True)
    return replace(
        candidate, judge_scores=tuple(JudgeScore(name, one.value, None, one.value, one.mass) for name, one in given)
    )


def best_of(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the candidate with the highest score, the first of equals; None where none has a score."""
    rated = [candidate for candidate in candidates if candidate.score is not None]
    return max(rated, key=lambda candidate: candidate.score or 0.0, default=None)
