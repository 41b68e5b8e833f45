"""Scores and true levels of texts in groups -> how many pairs of a group they order rightly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import combinations


def within_group_auc(
    scores: Sequence[float | None], levels: Sequence[float], groups: Sequence[Hashable]
) -> tuple[float, int]:
    """Return the share of pairs in order and their number: pairs of one group whose levels differ; equal scores half.

    Texts without a score are passed over; without a pair the share is not a number.
    """
    members: defaultdict[Hashable, list[tuple[float, float]]] = defaultdict(list)
    for score, level, group in zip(scores, levels, groups, strict=True):
        if score is not None:
            members[group].append((level, score))
    won = [_won(*sorted(pair)) for texts in members.values() for pair in combinations(texts, 2) if _differ(*pair)]
    return (sum(won) / len(won) if won else float("nan")), len(won)


def _differ(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] != other[0]


def _won(worse: tuple[float, float], better: tuple[float, float]) -> float:
    return 1.0 if better[1] > worse[1] else 0.5 if better[1] == worse[1] else 0.0
