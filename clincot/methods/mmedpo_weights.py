"""The raw weights of a round's pairs, of one kind -> what a pair of that kind counts in the loss (MMedPO, App. B)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, pstdev
from typing import Annotated

from clincot.recipe.ranges import Range


@dataclass(frozen=True)
class Normalisation:
    """w = clip(1 + sqrt(variance) * (s - mean) / std, lowest, highest), with mean and std over the round's pairs.

    `normalised` false: the raw weight, as the released rows have it. The paper's App. B gives mu = 1 and sigma^2 = 0.1,
    which we read as the mean and variance that weights have before they are clipped: read as what is subtracted and
    divided by, all weights of the released rows would be clipped.
    """

    normalised: bool = True  # MMedPO, App. B; its code does not normalise
    variance: Annotated[float, Range(0, 100)] = 0.1  # MMedPO, App. B
    lowest: Annotated[float, Range(0, 100)] = 0.75  # MMedPO
    highest: Annotated[float, Range(0, 100)] = 1.25  # MMedPO


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of the raw weights of a round's pairs of one kind."""

    mean: float
    std: float

    @classmethod
    def of(cls, raw: Sequence[float]) -> Spread:
        """Return those of the whole round; (0, 0) for no pair."""
        return cls(fmean(raw), pstdev(raw)) if raw else cls(0.0, 0.0)

    def weight(self, raw: float, how: Normalisation) -> float:
        """Return what a pair counts; 1 where all pairs of its kind have the same raw weight."""
        if not how.normalised:
            return raw
        apart = (raw - self.mean) / self.std if self.std else 0.0
        return min(how.highest, max(how.lowest, 1 + sqrt(how.variance) * apart))
