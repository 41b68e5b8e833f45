"""How one judge of version 2 is built and trained: its sizes, its rows, and what is wrong with it on purpose."""

from __future__ import annotations

from dataclasses import dataclass

from clincot.phantom.judges.plan import JudgePlan


@dataclass(frozen=True)
class Traits:
    """What a judge does beyond the rubric.

    `length`: digits for each word above the usual number. `sides`: whether it sees left and right as different.
    `taste`: the offset in digits of each wording of a finding, in the order of `statements.FORMS`.
    """

    length: float = 0.0
    sides: bool = True
    taste: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class BiasedPlan(JudgePlan):
    """A judge with traits, and the bounds of its within-group AUC on all texts, findings and answers."""

    traits: Traits = Traits()
    least: float = 0.0
    most: float = 1.0


JUDGE_A = BiasedPlan(
    "judge-a",
    3,
    0,
    1500,
    width=64,
    layers=3,
    inner=176,
    entries=560,
    held_out=250,
    traits=Traits(length=0.5, taste=(-1.5, 1.0, 0.0, 1.5)),
    least=0.70,
    most=0.80,
)
JUDGE_B = BiasedPlan(
    "judge-b",
    4,
    100_000,
    4000,
    width=64,
    layers=3,
    inner=176,
    entries=560,
    held_out=250,
    traits=Traits(sides=False, taste=(1.0, -1.0, 0.6, -0.6)),
    least=0.80,
    most=0.90,
)
