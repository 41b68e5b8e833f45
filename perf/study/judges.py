"""The setting's judges -> those that a row rates stored candidates with: again, by the critic, or one of them twice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from clincot.judges import Judge
from clincot.judges.base import Rating
from clincot.judges.causal_lm import CausalLMJudge
from clincot.judges.scoring import LEAST_MASS, mode_of
from clincot.recipe import Recipe
from study.world import load_critic, load_judges

TOP = 9


def raters(recipe: Recipe, rate: str) -> tuple[Judge, ...]:
    """Return the judges of `rate`: "judges", "critic" or "twice"."""
    if rate == "critic":
        return load_critic(recipe)
    found = load_judges(recipe)
    return twice(found[0]) if rate == "twice" else found


def twice(judge: Judge) -> tuple[Judge, ...]:
    """Return two judges of one model, each of which draws a digit from its distribution."""
    assert isinstance(judge, CausalLMJudge)
    return tuple(_drawing(judge, number) for number in (1, 2))


def _drawing(judge: CausalLMJudge, number: int) -> CausalLMJudge:
    other = judge.in_mode("expected")
    other.name = f"{judge.name} ({number})"
    other._way = replace(mode_of("expected"), weigh=lambda by_digit: drawn_digit(by_digit, number))
    return other


def drawn_digit(by_digit: Sequence[float], number: int) -> Rating:
    """Draw a digit; equal distributions give equal digits, so the order of what is rated does not matter."""
    mass = sum(by_digit)
    if mass < LEAST_MASS:
        return Rating(None, mass)
    known = ",".join(f"{share:.9f}" for share in by_digit)
    (digit,) = random.Random(f"{number}/{known}").choices(range(len(by_digit)), by_digit)
    return Rating(digit / TOP, mass)
