"""Calibration against values made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clincot.errors import DataError
from clincot.metrics.scoring.calibration import brier, ece

ASKED = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["yes", "No", "YES."])), min_size=1, max_size=30)


def test_ece_and_brier_follow_their_formulas() -> None:
    said, golds = [0.95, 0.91, 0.10, 0.5], ["yes", "no", "no", "Yes"]
    # bins: [.9, 1] 1.86 against 1 yes; [.1, .2) .10 against 0; [.5, .6) .5 against 1
    assert ece().of(said, golds) == pytest.approx((0.86 + 0.10 + 0.5) / 4)
    assert brier().of(said, golds) == pytest.approx((0.05**2 + 0.91**2 + 0.1**2 + 0.5**2) / 4)


def test_certain_and_right_is_zero_and_certain_and_wrong_is_one() -> None:
    for score in (ece(), brier()):
        assert score.of([1.0, 0.0], ["yes", "no"]) == 0.0
        assert score.of([0.0, 1.0], ["yes", "no"]) == 1.0
        assert score.of([], []) == 0.0


@settings(max_examples=60, deadline=None)
@given(ASKED, st.randoms())
def test_values_stay_in_range_whatever_the_order_and_the_copies(asked: list[tuple[float, str]], rng: object) -> None:
    mixed = asked * 2
    rng.shuffle(mixed)
    for score in (ece(), brier()):
        value = score.of(*zip(*asked, strict=True))
        assert 0.0 <= value <= 1.0 + 1e-12
        assert score.of(*zip(*mixed, strict=True)) == pytest.approx(value, abs=1e-12)


def test_a_resample_is_recomputed_from_summed_terms() -> None:
    said, golds = [0.95, 0.2, 0.4], ["yes", "no", "yes"]
    terms = np.array([ece().terms(*pair) for pair in zip(said, golds, strict=True)])
    again = ece().value(np.array([[0.0, 2.0, 1.0]]) @ terms)
    assert again == pytest.approx([ece().of([0.2, 0.2, 0.4], ["no", "no", "yes"])])


@pytest.mark.parametrize(("value", "gold"), [(float("nan"), "yes"), (1.2, "no"), (-0.1, "no"), (0.5, "left")])
def test_what_is_no_probability_or_no_yes_no_gold_is_refused(value: float, gold: str) -> None:
    with pytest.raises(DataError, match="calibration"):
        ece().of([value], [gold])
