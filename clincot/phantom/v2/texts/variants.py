"""A true statement or answer and a generator -> texts a policy might write instead, right in none to all parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.v2.texts.statements import NUMBERS, SIZES, Statement

RIGHT, NONE, ANY = 0.3, 0.2, 0.15  # of the statements: the true one, "no nodule", and one at random
CHOICES = {
    "presence": ("yes", "no"),
    "side": SIDES,
    "zone": ZONES,
    "larger": SIDES,
    "count": ("0", "1", "2", "3", "4"),
    "more": SIDES,
    "second": ("yes", "no"),
    "severity": ("mild", "moderate", "severe"),
}


def varied(true: Statement, rng: np.random.Generator) -> Statement:
    """Return the true statement, "no nodule", a random one, or the true one with parts changed."""
    chance = rng.random()
    if chance < RIGHT:
        return true
    if chance < RIGHT + NONE:
        return Statement(0)
    number = 1 if rng.random() < 0.85 else int(rng.integers(2, len(NUMBERS)))
    other = Statement(number, int(rng.integers(len(SIZES))), pick(SIDES, rng), pick(ZONES, rng))
    if chance < RIGHT + NONE + ANY or true.number == 0:
        return other
    changed = [name for name in ("size", "side", "zone", "number") if rng.random() < 0.4] or ["size"]
    return replace(true, **{name: getattr(other, name) for name in changed})


def pick(texts: Sequence[str], rng: np.random.Generator) -> str:
    """Return one of `texts`, each with the same chance."""
    return texts[int(rng.integers(len(texts)))]
