"""Eq. 4 against values worked out by hand (docs/methods.md#eq-4-consensus)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clincot.errors import RecipeError
from clincot.judges.consensus import KINDS, consensus

UNIT = st.floats(0, 1)
ALL = [*KINDS, "min"]


@pytest.mark.parametrize(
    ("kind", "scores", "expected"),
    [
        ("agreement", (0.9, 0.9), 0.90),
        ("agreement", (0.9, 0.7), 0.64),
        ("agreement", (0.9, 0.1), 0.10),
        ("agreement", (0.6, 0.2), 0.24),
        ("agreement", (1.0, 0.5), 0.375),
        ("exp", (1.0, 0.5), 0.75 * math.exp(-0.5)),
        ("mean_minus", (0.9, 0.7), 0.7),
        ("mean", (0.9, 0.7), 0.8),
        ("min", (0.9, 0.7), 0.7),
        ("agreement", (0.9, 0.6, 0.3), 0.6 * (1 - 0.4)),
        ("mean_minus", (1.0, 0.0, 0.0), 0.0),
    ],
)
def test_hand_computed_values(kind, scores, expected):
    assert consensus(kind, scores) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ALL)
def test_one_judge_is_the_identity(kind):
    assert consensus(kind, [0.37]) == 0.37


@pytest.mark.parametrize("kind", ALL)
def test_a_failed_judge_leaves_no_consensus(kind):
    assert consensus(kind, [0.9, None]) is None
    assert consensus(kind, []) is None


@pytest.mark.parametrize("kind", ALL)
@given(scores=st.lists(UNIT, min_size=1, max_size=5))
def test_scores_stay_in_the_unit_range_and_below_the_best_and_ignore_order(kind, scores):
    value = consensus(kind, scores)
    assert -1e-9 <= value <= max(scores) + 1e-9
    assert consensus(kind, scores[::-1]) == pytest.approx(value)


@given(a=UNIT, b=UNIT, more=UNIT)
def test_mean_minus_never_falls_when_a_judge_rates_higher(a, b, more):
    assert consensus("mean_minus", (max(a, more), b)) >= consensus("mean_minus", (a, b)) - 1e-12


def test_agreement_can_fall_when_a_judge_rates_higher():
    assert consensus("agreement", (1.0, 0.5)) < consensus("agreement", (0.5, 0.5))


def test_an_unknown_kind_is_named_with_its_neighbour():
    with pytest.raises(RecipeError, match="Did you mean 'agreement'"):
        consensus("agrement", [0.5])
