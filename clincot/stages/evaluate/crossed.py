"""Sums of terms by seed and image -> values with intervals over both: seeds and images are drawn again, crossed.

Training seeds are a sample too: an interval over images alone says nothing of what another seed would give. A resample
draws images with all their questions, and seeds independently of them; every seed answers the images that were drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clincot.records.lineage import content_key
from clincot.stages.evaluate.results import Resampling, Scored

Value = Callable[[np.ndarray], np.ndarray]
BySeed = Mapping[int, np.ndarray]  # seed -> (images, terms); a row of nan is an image about which nothing was counted


@dataclass(frozen=True)
class Crossed:
    """The resamples of one table: `images` are drawn once for all rows, seeds once for all rows that have them.

    So the difference of two rows is paired by image and by seed.
    """

    images: Resampling
    seed: int = 0

    @classmethod
    def of(cls, names: Sequence[str], resamples: int, seed: int = 0) -> Crossed:
        """Return the resamples of the images `names`, in the order of the sums' rows."""
        return cls(Resampling.over(names, resamples, seed), seed)

    def score(self, sums: BySeed, value: Value) -> Scored | None:
        """Return the mean of the seeds' values with its draws; None where nothing was counted.

        `value` maps sums (..., terms) to values (...). Of one seed the interval is that of images alone.
        """
        scored = [self._one(sums[seed], value) for seed in sorted(sums)]
        found = [one for one in scored if one is not None]
        if len(found) < len(scored) or not found:
            return None
        draws = self._weighted(np.stack([one.draws for one in found]), sorted(sums))
        return Scored(float(np.mean([one.value for one in found])), draws, min(one.n for one in found))

    def difference(self, sums: BySeed, others: BySeed, value: Value, *, untrained: bool = False) -> Scored | None:
        """Return a row minus another one on the seeds and images that both have; None where they share none.

        `untrained`: the other one is the base, whose answers no seed changes; all seeds are compared with it.
        """
        if untrained:
            others = dict.fromkeys(sums, others[min(others)])  # imported results may have several, which are equal
        both = {seed: _on_common(sums[seed], others[seed]) for seed in sorted(sums.keys() & others.keys())}
        mine, theirs = (self.score({seed: pair[side] for seed, pair in both.items()}, value) for side in (0, 1))
        if mine is None or theirs is None:
            return None
        return Scored(mine.value - theirs.value, mine.draws - theirs.draws, min(mine.n, theirs.n))

    def _one(self, sums: np.ndarray, value: Value) -> Scored | None:
        return self.images.value(sums, value)

    def _weighted(self, draws: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Average (seeds, resamples) over the seeds of each resample, the same for every row with these seeds."""
        if len(seeds) == 1:
            return draws[0]
        generator = np.random.default_rng(int(content_key(self.seed, list(seeds))[:8], 16))
        counts = generator.multinomial(len(seeds), np.full(len(seeds), 1 / len(seeds)), size=draws.shape[1])
        # A seed that was not drawn does not count, also where its value is nan.
        kept = np.where(counts.T > 0, draws * counts.T, 0.0)
        averages: np.ndarray = kept.sum(0) / len(seeds)
        return averages


def _on_common(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both sums without the images about which one of them counted nothing."""
    unknown = np.isnan(one).any(1) | np.isnan(other).any(1)
    found = one.copy(), other.copy()
    for sums in found:
        sums[unknown] = np.nan
    return found
