"""Eq. 3 against values worked out by hand."""

from __future__ import annotations

import pytest

from clincot.judges.consensus import consensus
from clincot.judges.lookahead import expected, total
from clincot.methods.clincot_config import Lookahead
from clincot.methods.scoring import scored
from clincot.recipe import Judging
from clincot.records import Candidate, JudgeScore


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


def test_undivided_the_sum_is_equation_3_as_printed():
    assert total(0.8, 0.5, 0.5, normalise=False) == pytest.approx(1.05)
    assert total(1.0, 1.0, 0.5, normalise=False) == 1.5
    assert total(0.8, None, 0.5, normalise=False) == 0.8 and total(None, 0.5, 0.5, normalise=False) is None


def judged(own: float, following: float | None, texts: tuple[str, ...]) -> Candidate:
    scores = tuple(JudgeScore(judge, own, following, None, 1.0) for judge in "ab")
    return Candidate("c", "e", 1, "text", None, (), None, None, lookahead=texts, judge_scores=scores)


def test_an_undivided_score_ranks_as_printed_and_a_missing_term_is_a_failure():
    divided, printed = Lookahead(), Lookahead(gamma=0.5, normalise=False)
    assert scored(judged(0.8, 0.5, ("next",)), divided, Judging()).score == pytest.approx(0.7)
    assert scored(judged(0.8, 0.5, ("next",)), printed, Judging()).score == pytest.approx(1.05)
    assert scored(judged(0.8, None, ("next",)), divided, Judging()).score == pytest.approx(0.8)
    assert scored(judged(0.8, None, ("next",)), printed, Judging()).score is None
    assert scored(judged(0.8, None, ()), printed, Judging()).score == pytest.approx(0.8)  # the last step
    assert scored(judged(0.8, None, ("next",)), Lookahead(gamma=0, normalise=False), Judging()).score == 0.8


def test_judges_that_differ_by_more_than_one_agree_on_nothing():
    assert consensus("agreement", [1.5, 0.2]) == 0.0
    assert consensus("agreement", [0.75, 0.5]) == pytest.approx(0.625 * 0.75)
