"""A question and the regions of its image -> the order in which the steps of a chain look at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from clincot.chain.hypotheses import named_entities
from clincot.chain.own_hypotheses import Words, names
from clincot.recipe import Look
from clincot.records import Region


class Found(Protocol):
    """What was looked for by name, with the proposer's belief that it is there."""

    @property
    def hypothesis(self) -> str: ...

    @property
    def confidence(self) -> float: ...


T = TypeVar("T", bound=Found)


def ranked(question: str, found: Sequence[T], own: Words | None = None) -> list[T]:
    """Return the best to look at first: what the question names, in the order of `ENTITIES`, then by confidence.

    Equal ones keep their order, so of several regions of one map the strongest comes first.
    `own`: the recipe's hypotheses of the modality, each with its other words.
    """
    if own is not None:
        said = {word for name, words in own.items() if names(question, name, words) for word in (name, *words)}
        return sorted(found, key=lambda one: (one.hypothesis not in said, -one.confidence))
    named = {name: place for place, name in enumerate(named_entities([question]))}
    return sorted(found, key=lambda one: (named.get(one.hypothesis, len(named)), -one.confidence))


def region_of(step: int, ranked_regions: Sequence[Region], look: Look) -> Region:
    """Return the region that `step` (from 1) looks at.

    `one`: the best at every step. `each`: the best that no step before has looked at, and when all are
    seen the best again.
    """
    return ranked_regions[step - 1] if look == "each" and step <= len(ranked_regions) else ranked_regions[0]
