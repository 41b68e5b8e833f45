"""Results of all rows and seeds -> values, differences, and the eight claims with Holm's correction.

Seeds and images are crossed: both are drawn again and every seed answers the same images
(`clincot.stages.evaluate.crossed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clincot.stages.evaluate.crossed import Crossed
from clincot.stages.evaluate.results import Scored
from study.films import films
from study.measures import Measure
from study.power import two_sided
from study.results import Result
from study.rows import FAMILIES, ROWS
from study.sums import Seen, Sums

RESAMPLES = 2000
EQUAL = 1.0  # points: a difference whose 90 % interval lies within is "adds nothing"
SEEDED = {row.name: row.seeded for row in ROWS}


@dataclass(frozen=True)
class Estimate:
    """A value or a difference in points, with its 95 % interval, and the value of each seed."""

    value: float
    low: float
    high: float
    seeds: dict[int, float]


@dataclass(frozen=True)
class Contrast(Estimate):
    """A row minus another one: `p` is the larger of the crossed p value and that of t over the seeds' differences.

    `equivalent`: there are several seeds, and the 90 % interval lies within a point of nothing.
    """

    p: float = 1.0
    by_t: float = 1.0
    equivalent: bool = False


@dataclass(frozen=True)
class Claim:
    """One of the eight of a family: its row against a contrast on an endpoint; `holm` is the corrected p value."""

    against: str
    measure: str
    found: Contrast
    holm: float


class Analysis:
    """The results of one policy, scored on the same resamples of images and seeds."""

    def __init__(self, results: Sequence[Result], seen: Seen, resamples: int = RESAMPLES) -> None:
        self.seen = seen
        self.crossed = {False: Crossed.of(seen.names, resamples)}
        if films():
            self.crossed[True] = Crossed.of([str(place) for place in range(len(films()))], resamples)
        self.results: dict[str, dict[int, Result]] = {}
        for result in results:
            self.results.setdefault(result.row, {})[result.seed] = result

    @property
    def rows(self) -> list[str]:
        """Return the rows that have a result, in the order of the study."""
        return [row.name for row in ROWS if row.name in self.results]

    def value(self, row: str, measure: Measure) -> Estimate | None:
        """Return a row's value; None where it has no such measure."""
        sums = self._sums(row, measure)
        found = self.crossed[measure.films].score(sums, measure.value) if sums else None
        return None if found is None else Estimate(*_ends(found, measure, 95), self._seeds(sums, measure))

    def difference(self, row: str, against: str, measure: Measure) -> Contrast | None:
        """Return a row minus another one on the seeds that both have."""
        mine, theirs = self._sums(row, measure), self._sums(against, measure)
        mine, theirs = self._paired(row, mine), self._paired(against, theirs)
        if SEEDED.get(row) and SEEDED.get(against):
            both = mine.keys() & theirs.keys()
            mine, theirs = ({seed: own[seed] for seed in sorted(both)} for own in (mine, theirs))
        elif SEEDED.get(against):  # an untrained row has no seeds of its own
            mine = {seed: next(iter(mine.values())) for seed in theirs} if mine else {}
        found = self.crossed[measure.films].difference(mine, theirs, measure.value) if mine and theirs else None
        if found is None:
            return None
        own, other = self._seeds(mine, measure), self._seeds(theirs, measure)
        only = next(iter(other.values()))
        seeds = {seed: own[seed] - other.get(seed, only) for seed in own}
        low, high = np.nanpercentile(measure.unit * found.draws, [5, 95])
        by_t = _by_t(list(seeds.values()))
        p = max(_crossed_p(found.draws), by_t)
        nothing = len(seeds) > 1 and bool(low > -EQUAL and high < EQUAL)
        return Contrast(*_ends(found, measure, 95), seeds, p, by_t, nothing)

    def claims(self, row: str, endpoints: Sequence[Measure]) -> list[Claim]:
        """Return the claims of a family that can be made so far, with Holm's correction over all eight of its plan."""
        contrasts = FAMILIES[row]
        found = [(c, m.name, self.difference(row, c, m)) for c in contrasts for m in endpoints]
        known = [(against, name, one) for against, name, one in found if one is not None]
        held, corrected = 0.0, {}
        for place, (against, name, one) in enumerate(sorted(known, key=lambda entry: entry[2].p)):
            held = max(held, min(1.0, (len(contrasts) * len(endpoints) - place) * one.p))
            corrected[against, name] = held
        return [Claim(against, name, one, corrected[against, name]) for against, name, one in known]

    def _sums(self, row: str, measure: Measure) -> dict[int, Sums]:
        made = {seed: measure.sums(result, self.seen) for seed, result in self.results.get(row, {}).items()}
        return {seed: sums for seed, sums in made.items() if sums is not None}

    def _paired(self, row: str, sums: dict[int, Sums]) -> dict[int, Sums]:
        return sums if SEEDED.get(row, True) else dict(list(sums.items())[:1])

    def _seeds(self, sums: dict[int, Sums], measure: Measure) -> dict[int, float]:
        return {s: measure.unit * float(measure.value(np.nansum(own, 0))) for s, own in sorted(sums.items())}


def _ends(found: Scored, measure: Measure, percent: float) -> tuple[float, float, float]:
    low, high = np.nanpercentile(found.draws, [(100 - percent) / 2, (100 + percent) / 2])
    return measure.unit * found.value, measure.unit * float(low), measure.unit * float(high)


def _crossed_p(draws: np.ndarray) -> float:
    """Return the two-sided p value of a difference by its draws; never below what their number can tell."""
    known = draws[~np.isnan(draws)]
    tail = min(np.mean(known <= 0), np.mean(known >= 0))
    return float(min(1.0, 2 * max(tail, 1 / (len(known) + 1))))


def _by_t(differences: Sequence[float]) -> float:
    """Return the p value of Student's t over the seeds' differences; 1 with fewer than two."""
    if len(differences) < 2:
        return 1.0
    deviation = float(np.std(differences, ddof=1))
    mean = float(np.mean(differences))
    if deviation == 0:
        return 1.0 if mean == 0 else 0.0
    return float(two_sided(mean / (deviation / np.sqrt(len(differences))), len(differences) - 1))
