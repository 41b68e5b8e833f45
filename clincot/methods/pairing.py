"""The scored candidates of a step -> at most k preference pairs, a choice that no model is needed for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, Protocol

from clincot.methods.base import Draw
from clincot.methods.text_key import text_key
from clincot.records import Candidate

PairScope = Literal["any", "across_regions", "within_region"]


class Numbers(Protocol):
    """What of a method's Config decides its pairs."""

    @property
    def pairs_per_step(self) -> int: ...
    @property
    def min_gap(self) -> float: ...
    @property
    def pair_scope(self) -> PairScope: ...


CUT = "candidates cut at the length limit"


def distinct(candidates: Sequence[Candidate], *, within_region: bool = False) -> list[Candidate]:
    """Keep the best-scored candidate of each text (`text_key`; of each region, when pairs stay within one)."""
    best: dict[tuple[object, ...], Candidate] = {}
    for candidate in candidates:
        if candidate.score is None:
            continue
        key = (text_key(candidate.text) or candidate.id, candidate.region if within_region else None)
        held = best.get(key)
        if held is None or (held.score is not None and candidate.score > held.score):
            best[key] = candidate
    return list(best.values())


def choose_pairs(
    group: str, candidates: Sequence[Candidate], config: Numbers, draw: Draw
) -> list[tuple[Candidate, Candidate]]:
    """Draw k of the pairs whose scores differ, by `min_gap` or more, at random (as UV-CoT), seeded by `group`.

    Returns (chosen, rejected), fewer than k = `pairs_per_step` where fewer are possible; what is left out is counted.
    """
    scope = config.pair_scope
    rated = [candidate for candidate in candidates if candidate.score is not None]
    whole = [candidate for candidate in rated if draw.recipe.build.cut_texts == "train" or not candidate.cut]
    draw.drop(CUT, len(rated) - len(whole))
    usable = distinct(whole, within_region=scope == "within_region")
    draw.drop("candidates that repeat a text", len(whole) - len(usable))
    possible = [
        (winner, loser)
        for winner in usable
        for loser in usable
        if winner.score is not None and loser.score is not None
        if winner.score > loser.score and winner.score - loser.score >= config.min_gap  # equals prefer nothing
        if scope == "any" or (winner.region == loser.region) == (scope == "within_region")
    ]
    chosen = random.Random(draw.seed(group, "pairs")).sample(possible, min(config.pairs_per_step, len(possible)))
    if not chosen:
        draw.drop("steps without a pair")
    return chosen
