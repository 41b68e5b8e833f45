"""Eq. 3 against values worked out by hand."""

from __future__ import annotations

import pytest

from clincot.judges.lookahead import expected, total


def test_the_next_score_counts_gamma_times():
    assert total(0.8, 0.5, 0.5) == pytest.approx((0.8 + 0.25) / 1.5)
    assert total(1.0, 1.0, 0.5) == 1.0


def test_without_a_next_score_or_gamma_the_own_score_stays():
    assert total(0.8, None, 0.5) == 0.8
    assert total(0.8, 0.1, 0.0) == 0.8


def test_a_failed_own_score_stays_a_failure():
    assert total(None, 0.5, 0.5) is None


def test_the_expectation_is_the_mean_over_what_could_be_rated():
    assert expected([0.2, None, 0.6]) == pytest.approx(0.4)
    assert expected([None]) is None
    assert expected([]) is None
