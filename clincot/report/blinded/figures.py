"""The choices of readers and a key -> win rates, agreement of readers and of judges, with intervals over images.

Cohen's kappa is (p_o - p_e) / (1 - p_e) over `first`, `second` and `same` (Cohen 1960). A 95 % percentile interval
draws images with all their items again: items of one image are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from clincot.report.blinded.choices import Reader
from clincot.report.blinded.items import Key

KINDS = ("first", "second", "same")
RESAMPLES = 2_000
Tables = np.ndarray  # (..., 9): counts of two raters' kinds, the first rater's kind times three plus the second's


@dataclass(frozen=True)
class Figure:
    """A number with its interval over `images` images and the number of items; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    images: int


@dataclass(frozen=True)
class WinRate:
    """How often a reader prefers the first side's answer; an item without a difference counts half."""

    reader: str
    rate: Figure
    first: int
    second: int
    same: int
    unsure: int


@dataclass(frozen=True)
class Agreement:
    """Two raters on the items that both rated: the share of equal choices, and Cohen's kappa."""

    one: str
    other: str
    share: Figure
    kappa: Figure


@dataclass(frozen=True)
class Reading:
    """What a sheet's readers found; `everyone` counts the choices of all of them. `judges`: each reader and judge."""

    source: str
    sides: tuple[str, str]
    items: int
    everyone: WinRate
    readers: tuple[WinRate, ...]
    agreement: tuple[Agreement, ...]
    judges: tuple[Agreement, ...]


def read_out(key: Key, readers: Sequence[Reader]) -> Reading:
    """Return the figures of a sheet."""
    image_of = {entry.number: entry.image_id for entry in key.entries}
    rates = tuple(_win_rate(reader.name, [reader], image_of, key.seed) for reader in readers)
    pairs = combinations([(reader.name, reader.choices) for reader in readers], 2)
    judged = ((one, judge) for judge in _judges(key) for one in ((r.name, r.choices) for r in readers))
    return Reading(
        key.source,
        key.sides,
        len(key.entries),
        _win_rate("all readers", readers, image_of, key.seed),
        rates,
        tuple(_agreement(one, other, image_of, key.seed) for one, other in pairs),
        tuple(_agreement(one, other, image_of, key.seed) for one, other in judged),
    )


def kappa_of(tables: Tables) -> np.ndarray:
    """Return Cohen's kappa of tables of counts; nan where both raters gave one kind alone, or nothing was rated."""
    square = tables.reshape(*tables.shape[:-1], len(KINDS), len(KINDS))
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = square / square.sum((-2, -1), keepdims=True)
        observed = np.trace(shares, axis1=-2, axis2=-1)
        expected = (shares.sum(-1) * shares.sum(-2)).sum(-1)
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def _share_of(tables: Tables) -> np.ndarray:
    same = tables[..., [0, 4, 8]].sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(same / tables.sum(-1))


def _rate_of(counts: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((counts[..., 0] + counts[..., 2] / 2) / counts.sum(-1))


def _win_rate(name: str, readers: Sequence[Reader], image_of: Mapping[int, str], seed: int) -> WinRate:
    rated = [(image_of[number], KINDS.index(kind)) for reader in readers for number, kind in reader.choices.items()]
    first, second, same = (sum(kind == wanted for _, kind in rated) for wanted in range(len(KINDS)))
    unsure = sum(reader.unsure for reader in readers)
    return WinRate(name, _over_images(rated, len(KINDS), _rate_of, seed), first, second, same, unsure)


def _agreement(
    one: tuple[str, Mapping[int, str]], other: tuple[str, Mapping[int, str]], image_of: Mapping[int, str], seed: int
) -> Agreement:
    both = sorted(one[1].keys() & other[1].keys())
    cells = [(image_of[n], KINDS.index(one[1][n]) * len(KINDS) + KINDS.index(other[1][n])) for n in both]
    share, kappa = (_over_images(cells, len(KINDS) ** 2, value, seed) for value in (_share_of, kappa_of))
    if any(len({rater[1][n] for n in both}) < 2 for rater in (one, other)):
        kappa = Figure(None, None, None, kappa.n, kappa.images)  # 0 by its formula, of any such two
    return Agreement(one[0], other[0], share, kappa)


def _judges(key: Key) -> Iterator[tuple[str, dict[int, str]]]:
    """Yield each judge with what it prefers, on the items whose two answers it rated."""
    names = dict.fromkeys(name for entry in key.entries for name in entry.judges)
    for name in names:
        found = {}
        for entry in key.entries:
            first, second = entry.judges.get(name, (None, None))
            if first is not None and second is not None:
                found[entry.number] = "same" if first == second else "first" if first > second else "second"
        yield name, found


def _over_images(
    cells: Sequence[tuple[str, int]], width: int, value: Callable[[np.ndarray], np.ndarray], seed: int
) -> Figure:
    """Return the value of the counts of `cells` (an image and a place below `width` each) and its interval."""
    images = {name: place for place, name in enumerate(dict.fromkeys(image for image, _ in cells))}
    counts = np.zeros((len(images), width))
    np.add.at(counts, ([images[name] for name, _ in cells], [kind for _, kind in cells]), 1)
    if not cells:
        return Figure(None, None, None, 0, 0)
    point = _known(float(value(counts.sum(0))))
    share = np.full(len(images), 1 / len(images))
    drawn = np.random.default_rng(seed).multinomial(len(images), share, size=RESAMPLES)
    draws = value(drawn @ counts)
    draws = draws[np.isfinite(draws)]
    if point is None or len(images) < 2 or not len(draws):  # one image drawn again says nothing of others
        return Figure(point, None, None, len(cells), len(images))
    low, high = np.percentile(draws, [2.5, 97.5])
    return Figure(point, float(low), float(high), len(cells), len(images))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
