"""The scored candidates of a step -> at most k preference pairs, a view that no model is needed for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from clincot.methods._text_key import text_key
from clincot.methods.steps import step_prompt
from clincot.recipe import Recipe
from clincot.records import Candidate, Example, PreferencePair

CUT = "candidates cut at the length limit"


class Draw(Protocol):
    """What drawing pairs needs of a method's tools (methods/base.py): no model."""

    @property
    def recipe(self) -> Recipe: ...

    def seed(self, *parts: object) -> int: ...

    def drop(self, reason: str, count: int = 1) -> None: ...


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


def choose_pairs(example: Example, step: int, candidates: Sequence[Candidate], tools: Draw) -> list[PreferencePair]:
    """Draw k of the pairs whose scores differ by `min_gap` or more, at random (as UV-CoT), seeded by the step."""
    build = tools.recipe.build
    scope = build.pair_scope
    rated = [candidate for candidate in candidates if candidate.score is not None]
    whole = [candidate for candidate in rated if build.cut_texts == "train" or not candidate.cut]
    tools.drop(CUT, len(rated) - len(whole))
    usable = distinct(whole, within_region=scope == "within_region")
    tools.drop("candidates that repeat a text", len(whole) - len(usable))
    possible = [
        (winner, loser)
        for winner in usable
        for loser in usable
        if winner.score is not None and loser.score is not None and winner.score - loser.score >= build.min_gap
        if scope == "any" or (winner.region == loser.region) == (scope == "within_region")
    ]
    group = f"{example.id}/{step}"
    chosen = random.Random(tools.seed(group, "pairs")).sample(possible, min(build.pairs_per_step, len(possible)))
    if not chosen:
        tools.drop("steps without a pair")
    return [
        PreferencePair(
            id=f"{group}/{i}",
            example_id=example.id,
            step=step,
            method=tools.recipe.method,
            prompt=step_prompt(tools.recipe, example, step, winner.findings),
            image=example.encoded(),
            chosen=winner,
            rejected=loser,
            group=group,
        )
        for i, (winner, loser) in enumerate(chosen)
    ]
