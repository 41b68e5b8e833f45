"""The scored candidates of a step -> at most k preference pairs, a view that no model is needed for."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from clincot.methods.base import Tools
from clincot.prompts import step_messages
from clincot.records import Candidate, Example, PreferencePair


def normalised(text: str) -> str:
    """Return the text as candidates are compared: lower case, letters and digits only, single spaces."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def distinct(candidates: Sequence[Candidate], *, within_region: bool = False) -> list[Candidate]:
    """Keep the best-scored candidate of each normalised text (of each region, when pairs stay within one)."""
    best: dict[tuple[object, ...], Candidate] = {}
    for candidate in candidates:
        if candidate.score is None:
            continue
        key = (normalised(candidate.text), candidate.region if within_region else None)
        held = best.get(key)
        if held is None or (held.score is not None and candidate.score > held.score):
            best[key] = candidate
    return list(best.values())


def choose_pairs(example: Example, step: int, candidates: Sequence[Candidate], tools: Tools) -> list[PreferencePair]:
    """Draw k of the pairs whose scores differ by `min_gap` or more, at random (as UV-CoT), seeded by the step."""
    build = tools.recipe.build
    scope = build.pair_scope
    usable = distinct(candidates, within_region=scope == "within_region")
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
            prompt=tuple(step_messages(example.question, winner.findings, step=step, steps=build.steps)),
            image=example.image,
            chosen=winner,
            rejected=loser,
            group=group,
        )
        for i, (winner, loser) in enumerate(chosen)
    ]
