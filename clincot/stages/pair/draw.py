"""A method, examples and their candidates -> the pairs that the method draws among them, and what it left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field

from clincot.methods import own_faults
from clincot.methods.base import Method, OverRound
from clincot.recipe import Recipe
from clincot.records import Candidate, Example
from clincot.records.lineage import content_key
from clincot.records.pairs import Pair

UNPAIRED = "questions without a pair"
VETOED = "pairs vetoed by a reader"


@dataclass(frozen=True)
class Drawn:
    """Pairs in the order of their examples; `drops` counts by reason what gave none."""

    pairs: tuple[Pair, ...]
    drops: dict[str, int]


@dataclass
class Drawing:
    """What a method has while it draws (`clincot.methods.base.Draw`)."""

    recipe: Recipe
    round: int
    drops: Counter[str] = field(default_factory=Counter)

    def seed(self, *parts: object) -> int:
        return seed_of(self.recipe, self.round, *parts)

    def drop(self, reason: str, count: int = 1) -> None:
        self.drops[reason] += count


def over_round(method: Method, candidates: Iterable[Candidate]) -> Method:
    """Return what draws the pairs of a round of these candidates: `method`, or what it makes of the whole round."""
    return method.over(candidates) if isinstance(method, OverRound) else method


def draw_pairs(
    method: Method, recipe: Recipe, round_: int, examples: Sequence[Example], candidates: Iterable[Candidate]
) -> Drawn:
    """Draw the pairs of every example that has candidates; an example's candidates are in the order of their steps.

    Build and pair stage call this alone, so equal candidates and settings give equal pairs in both.
    """
    of_example: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        of_example.setdefault(candidate.example_id, []).append(candidate)
    drawing, pairs, seen = Drawing(recipe, round_), [], set[str]()
    for example in examples:
        if example.id not in of_example:
            continue
        with own_faults.named(method, "pair", example):
            found = method.pair(example, of_example[example.id], drawing)
            own_faults.check_pairs(found, seen)
        if not found:
            drawing.drop(UNPAIRED)
        pairs += found
    return Drawn(tuple(pairs), {reason: n for reason, n in sorted(drawing.drops.items()) if n})


def without(drawn: Drawn, vetoed: Container[str]) -> Drawn:
    """Leave out the pairs whose ids are vetoed and count them; the weights of the others stay as they were drawn."""
    kept = tuple(pair for pair in drawn.pairs if pair.id not in vetoed)
    left = len(drawn.pairs) - len(kept)
    return Drawn(kept, drawn.drops | {VETOED: left}) if left else drawn


def seed_of(recipe: Recipe, round_: int, *parts: object) -> int:
    """Return a number made of the recipe's seed, the round and `parts`."""
    return int(content_key(recipe.seed, round_, *parts)[:15], 16)
