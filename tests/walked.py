"""A recipe, examples and models -> what a build samples and draws of them: both stages, in one process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from clincot.judges.cache import Recorded
from clincot.lm.work import finish
from clincot.methods import of_recipe
from clincot.methods.base import Method
from clincot.recipe import Recipe
from clincot.records import Candidate, Example, Hypothesis, View
from clincot.records.pairs import Pair
from clincot.stages.pair.draw import draw_pairs, over_round
from clincot.stages.sample.workbench import Workbench, sample_shard


@dataclass(frozen=True)
class Walked:
    """`drops` counts what either stage left out; `encode` gives the bytes of views."""

    candidates: tuple[Candidate, ...]
    hypotheses: tuple[Hypothesis, ...]
    ratings: tuple[Recorded, ...]
    pairs: tuple[Pair, ...]
    drops: dict[str, int]
    encode: Callable[[str, View], bytes] = field(repr=False, compare=False)


def walked(recipe: Recipe, examples: Sequence[Example], bench: Workbench, method: Method | None = None) -> Walked:
    """Sample the examples as one shard, then draw its pairs; by the recipe's method where none is given."""
    method = method or of_recipe(recipe)
    sampled = finish(sample_shard(method, examples, bench))
    method = over_round(method, sampled.candidates)
    drawn = draw_pairs(method, recipe, bench.round, examples, sampled.candidates)
    drops = Counter(sampled.drops) + Counter(drawn.drops)
    return Walked(
        sampled.candidates, sampled.hypotheses, sampled.ratings, drawn.pairs, dict(drops), bench.gallery.encode
    )
