"""ClinCoT's own numbers -> a frozen dataclass that a recipe fills under `method:`, with the values that cannot work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from clincot.errors import RecipeError
from clincot.recipe.ranges import Range


@dataclass(frozen=True)
class Lookahead:
    """Next-step term of the score (Eq. 3).

    `gamma` weighs the mean over the next responses; 0 switches it off. `samples`: next responses of a candidate.
    `normalise` divides the sum by 1 + gamma, so that scores stay in [0, 1]; Eq. 3 as printed does not.
    """

    gamma: Annotated[float, Range(0, 10)] = 0.5
    samples: Annotated[int, Range(0, 1000)] = 2
    normalise: bool = True


@dataclass(frozen=True)
class Config:
    """The numbers of ClinCoT (paper, Section 2.1); recipes/clincot.yaml gives the source of each.

    `steps`: texts of a chain, the last of which is the answer. `candidates`: hypotheses that are looked for in an
    image. `samples_per_region`: texts about each region, a step. `temperature`, `top_p`: how they are sampled.
    `pairs_per_step`: pairs that are drawn from a step's candidates at most. `min_gap`: by how much the scores of a
    pair's sides differ at least. `pair_scope`: pairs of any two candidates, of two regions, or of the same region.
    `look`: a step has candidates of all regions, or of each region at one step only: of those that no best text
    before it was about, as `evaluate.look: each` looks at them.
    """

    steps: Annotated[int, Range(1, 100)] = 2
    candidates: Annotated[int, Range(1, 1000)] = 6
    samples_per_region: Annotated[int, Range(1, 1000)] = 1
    temperature: Annotated[float, Range(0, 10)] = 0.7
    top_p: Annotated[float, Range(0, 1, above=True)] = 1.0
    lookahead: Lookahead = field(default_factory=Lookahead)
    pairs_per_step: Annotated[int, Range(1, 100_000)] = 2
    min_gap: Annotated[float, Range(0, 1)] = 0.05
    pair_scope: Literal["any", "across_regions", "within_region"] = "any"
    look: Literal["all", "each"] = "all"

    @property
    def scores_in_range(self) -> bool:
        """Return whether scores lie in [0, 1]: Eq. 3 as printed leaves it."""
        return self.lookahead.normalise or not self.lookahead.gamma

    def check(self) -> None:
        """Raise RecipeError for numbers that cannot yield a pair or a look-ahead score."""
        self._check_pairs()
        if self.lookahead.gamma > 0 and self.lookahead.samples == 0:
            raise RecipeError(
                f"method.lookahead.samples: 0 next responses have no mean for gamma = {self.lookahead.gamma:g} to"
                " weigh. Set it to 1 or more, or method.lookahead.gamma to 0 for no look-ahead."
            )

    def _check_pairs(self) -> None:
        """A pair needs two candidates of one step: in all, of one region, or of two regions."""
        within = self.pair_scope == "within_region"
        if self.candidates * self.samples_per_region < 2:
            raise self._no_pair("1 candidate a step has none to be compared with. Set method.candidates to 2 or more.")
        if self.pair_scope == "across_regions" and self.candidates < 2:
            raise self._no_pair("1 region has no other to be compared with. Set method.candidates to 2 or more.")
        if within and self.samples_per_region < 2:
            raise self._no_pair(
                "1 text a region has none to be compared with. Set method.samples_per_region to 2 or more."
            )
        if self.temperature == 0 and (within or self.candidates < 2):
            raise self._no_pair(
                "at temperature 0 all texts of a region are the same. Set method.temperature above 0, for example 0.7."
            )

    def _no_pair(self, why: str) -> RecipeError:
        values = ("candidates", "samples_per_region", "temperature")
        given = ", ".join(f"method.{name} = {getattr(self, name)}" for name in values)
        return RecipeError(f"method.pair_scope: {self.pair_scope!r} with {given} cannot yield a pair: {why}")
