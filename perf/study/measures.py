"""The results of a row -> sums of terms by image, from which every number of the tables is a function.

A number is a function of sums, so that images can be drawn again (`clincot.stages.evaluate.crossed`): nan marks an
image about which a measure counts nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from clincot.phantom.v2.texts.questions import MULTI_REGION
from clincot.phantom.v2.texts.statements import PARTS
from clincot.records import Example
from study.beliefs import area, beliefs, calibration_error, histograms, mentioned, step_area
from study.films import films
from study.results import UNKNOWN, Result, objects_of, unpacked_odds
from study.sums import Seen, Sums, share, summed

FREE = ("box", "report")  # kinds without classes of answers
Value = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Measure:
    """One number: `sums` of a result, (images, terms), None where it has none; `value` of summed terms, in `unit`s.

    `films`: the images are those of the anchor.
    """

    name: str
    sums: Callable[[Result, Seen], Sums | None]
    value: Value
    unit: float = 100.0
    films: bool = False
    higher: bool = True


def cells(kinds: Sequence[str], seen: Seen) -> list[tuple[str, str]]:
    """Return the (kind, answer) classes of the questions of `kinds`."""
    return sorted({_cell(example) for example in seen.asked if example.kind in kinds})


def _cell(example: Example) -> tuple[str, str]:
    return example.kind, "" if example.kind in FREE else example.answer


def balanced_answers(kinds: Sequence[str], result: Result, seen: Seen) -> Sums | None:
    """Return right and asked by class of answer: the first half of the terms, and the second."""
    known = cells(kinds, seen)
    terms = []
    for example, place, right in zip(seen.asked, seen.places, result.answers, strict=True):
        if example.kind in kinds:
            at, own = known.index(_cell(example)), np.zeros(2 * len(known))
            own[at], own[len(known) + at] = int(right), 1
            terms.append((place, own))
    return summed(seen, terms)


def balanced(kinds: Sequence[str], seen: Seen) -> Value:
    """Return the mean over kinds of the mean over their answers: no answer counts for being frequent."""
    known = cells(kinds, seen)
    present = [kind for kind in kinds if any(one == kind for one, _ in known)]

    def value(sums: np.ndarray) -> np.ndarray:
        rates = share(np.stack([sums[..., : len(known)], sums[..., len(known) :]], axis=-1))
        own = [_mean(rates[..., [k == kind for k, _ in known]]) for kind in present]
        return _mean(np.stack(own, axis=-1))

    return value


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of what is known along the last axis; nan where nothing is."""
    known = ~np.isnan(values)
    return share(np.stack([np.where(known, values, 0).sum(-1), known.sum(-1)], axis=-1))


def findings(result: Result, seen: Seen) -> Sums | None:
    """Return right parts and parts of all findings of the chains."""
    return _levels(result, seen, lambda level: (level, PARTS))


def wholly_right(result: Result, seen: Seen) -> Sums | None:
    return _levels(result, seen, lambda level: (level == PARTS, 1))


def wholly_wrong(result: Result, seen: Seen) -> Sums | None:
    return _levels(result, seen, lambda level: (level == 0, 1))


def _levels(result: Result, seen: Seen, terms: Callable[[int], tuple[float, float]]) -> Sums | None:
    each = len(result.levels) // len(seen.asked)
    found = []
    for number, place in enumerate(seen.places):
        for letter in result.levels[number * each : (number + 1) * each]:
            if letter != UNKNOWN:
                found.append((place, np.array(terms(int(letter)), float)))
    return summed(seen, found)


def pointed(result: Result, seen: Seen) -> Sums | None:
    known = [
        (place, np.array([int(at), 1.0])) for place, at in zip(seen.places, result.points, strict=True) if at != UNKNOWN
    ]
    return summed(seen, known)


def reports(result: Result, seen: Seen) -> Sums | None:
    """Return nodules named, invented and missed in reports."""
    own = [place for place, example in zip(seen.places, seen.asked, strict=True) if example.answer_type == "report"]
    return summed(seen, [(place, np.array(result.reports[3 * i : 3 * i + 3], float)) for i, place in enumerate(own)])


def f1(sums: np.ndarray) -> np.ndarray:
    hits, extra, missed = (sums[..., place] for place in range(3))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = 2 * hits / (2 * hits + extra + missed)
    return found


def orders(result: Result, seen: Seen) -> Sums | None:
    """Return pairs of statements ordered rightly and wrongly."""
    if not result.orders:
        return None
    both = np.array(result.orders, float).reshape(-1, 2)
    both[both.sum(1) == 0] = np.nan
    return both


def tau(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = (sums[..., 0] - sums[..., 1]) / (sums[..., 0] + sums[..., 1])
    return found


def on_films(result: Result, seen: Seen) -> Sums | None:
    """Return histograms of the log-odds on films with drawn objects."""
    known = films()
    if not (result.films and known):
        return None
    odds = unpacked_odds(result.films)
    return histograms(odds, objects_of(known)[: len(odds)], Seen((), known))  # a tiny study has fewer films


def by_kind(seen: Seen) -> dict[str, int]:
    """Return how many questions of each kind were asked."""
    count: defaultdict[str, int] = defaultdict(int)
    for example in seen.asked:
        count[example.kind] += 1
    return dict(count)


def multi_region(seen: Seen) -> Measure:
    """Return the first endpoint."""
    sums = lambda result, seen: balanced_answers(MULTI_REGION, result, seen)  # noqa: E731
    return Measure("multi-region answers, balanced", sums, balanced(MULTI_REGION, seen))


AREA = Measure("step AUC", step_area, area)


FILMS = Measure("films, AUC", on_films, area, films=True)


def measures(seen: Seen) -> tuple[Measure, ...]:
    """Return the two endpoints, then all other measures."""
    every = tuple(sorted(by_kind(seen)))
    others = tuple(
        Measure(f"nodules named, {name}", lambda result, seen, quarter=quarter: mentioned(quarter, result, seen), share)
        for quarter, name in enumerate(("hardest quarter", "second", "third", "easiest quarter"))
    )
    return (
        multi_region(seen),
        AREA,
        Measure("answers, balanced", lambda r, s: balanced_answers(every, r, s), balanced(every, seen)),
        Measure("findings, right parts", findings, share),
        Measure("findings wholly right", wholly_right, share),
        Measure("findings wholly wrong", wholly_wrong, share, higher=False),
        Measure("Kendall's tau of statements", orders, tau),
        Measure("calibration error", beliefs, calibration_error, higher=False),
        Measure("report F1", reports, f1),
        Measure("pointing", pointed, share),
        *others,
        FILMS,
    )
