"""What is said of a judge by its ratings of right and wrong answers: by hand, with ties, failures and its faults."""

from __future__ import annotations

import math

import pytest

from clincot.judges.base import Rating
from clincot.judges.trust import Trust, trust, warning

UNREAD, LONG = Rating(None, 0.02), Rating(None, 0.0, too_long=True)


def ratings(*values: float, mass: float = 0.9) -> list[Rating]:
    return [Rating(value, mass) for value in values]


def test_the_figures_by_hand() -> None:
    right, wrong = ratings(0.9, 0.5, 0.4), ratings(0.5, 0.45, 0.1, mass=0.7)
    found = trust(right, wrong, ["a", "b", "c"])
    # Of nine pairs: .9 above all three, .5 equals .5 (a half) and is above two, .4 is above .1 alone.
    assert found.auc == pytest.approx((3 + 2.5 + 1) / 9)
    # (.5, .5), (.5, .45) and (.4, .45) lie within 0.05, its bound included.
    assert found.ties == pytest.approx(3 / 9)
    assert (found.rated, found.mass, found.failures, found.interval) == (6, pytest.approx(0.8), 0.0, None)
    # As digits: 8, 4 (4.5 rounds to even), 4 (3.6), 4, 4 (4.05), 1.
    assert (found.digit, found.share, found.mean) == (4, pytest.approx(4 / 6), pytest.approx(2.85 / 6))
    assert found.line == "mass 0.800, AUC 0.72 right against wrong, ties 33%, mean 0.48, 4 in 67%"


def test_within_questions_only_the_two_of_each_are_compared() -> None:
    right, wrong = [*ratings(0.9, 0.5, 0.2), UNREAD], [*ratings(0.5, 0.6, 0.2), *ratings(0.1)]
    found = trust(right, wrong, ["a", "a", "b", "c"], paired=True, resamples=400)
    # .9 above .5, .5 below .6, .2 equals .2; the last has one rating.
    assert found.auc == pytest.approx((1 + 0 + 0.5) / 3) and found.ties == pytest.approx(1 / 3)
    assert found.interval == (0.5, 0.5)  # each image has one half right
    alone = trust(ratings(0.9, 0.1), ratings(0.5, 0.5), ["a", "b"], paired=True, resamples=400)
    assert alone.interval == (0.0, 1.0)
    assert trust([UNREAD, *ratings(0.3)], [*ratings(0.2), UNREAD], ["a", "b"], paired=True).auc is None


def test_failures_are_a_share_and_long_prompts_no_rating() -> None:
    found = trust([*ratings(0.8), UNREAD, LONG], [*ratings(0.2), UNREAD, *ratings(0.9)], ["a", "b", "c"])
    assert (found.rated, found.failures) == (5, pytest.approx(0.4))
    assert found.auc == pytest.approx(0.5)
    assert found.line.endswith(", 40% cannot be read")
    none = trust([UNREAD] * 2, ratings(0.2, 0.3), ["a", "b"])
    assert (none.auc, none.ties, none.digit) == (None, None, None)
    assert none.line == "mass 0.460, 50% cannot be read"
    assert trust([], [], []) == Trust(0, 0.0, 0.0) == trust([LONG], [LONG], ["a"])


def test_the_interval_draws_images_and_its_ends_hold_the_value() -> None:
    right, wrong = ratings(0.9, 0.2, 0.8, 0.6, 0.3), ratings(0.1, 0.4, 0.5, 0.7, 0.3)
    apart = trust(right, wrong, list("abcde"), resamples=500, seed=1)
    assert apart.interval is not None and apart.auc is not None
    low, high = apart.interval
    assert 0 <= low < apart.auc < high <= 1
    assert trust(right, wrong, list("abcde"), resamples=500, seed=1) == apart
    # All questions of one image are drawn together, so nothing varies.
    assert trust(right, wrong, ["a"] * 5, resamples=50).interval == (pytest.approx(apart.auc), pytest.approx(apart.auc))
    perfect = trust(ratings(0.9, 0.8), ratings(0.1, 0.2), ["a", "b"], resamples=50).interval
    assert perfect == (1.0, 1.0) and not any(map(math.isnan, perfect))


def said(found: Trust, scoring: str = "expected", blind: bool = False) -> str:
    return warning("ns/judge", found, scoring=scoring, blind=blind) or ""


def test_each_fault_is_named_with_what_to_do_and_a_good_judge_with_nothing() -> None:
    good = Trust(20, 0.95, 0.0, ties=0.1, auc=0.9, mean=0.5, digit=9, share=0.4)
    assert said(good) == "" == said(good, "yesno", True)
    vague = said(Trust(20, 0.045, 0.9))
    assert (
        vague.startswith("WARNING: judge ns/judge: median mass 0.045") and 'build.judging.prefill="Rating: "' in vague
    )
    assert 'build.judging.prefill="Answer: "' in said(Trust(20, 0.045, 0.9), "yesno")
    assert "`clincot judges check ns/judge`" in vague
    # Of a written reply the mass is that of its very words.
    assert said(Trust(20, 0.045, 0.1, ties=0.2, auc=0.8, mean=0.5, digit=5, share=0.2), "generated") == ""
    assert "60% of its replies cannot be read" in said(Trust(20, 0.4, 0.6), "generated")
    alike = said(Trust(20, 0.9, 0.0, ties=0.95, auc=0.5, mean=0.9, digit=8, share=1.0))
    assert "95% of right and wrong answers are rated alike" in alike and "generated or yesno" in alike
    guess = Trust(20, 0.9, 0.0, ties=0.2, auc=0.59, mean=0.5, digit=5, share=0.2)
    assert "AUC 0.59). " in said(guess) and "judging.context" not in said(guess)
    assert "AUC 0.59, seeing neither image nor reference" in said(guess, blind=True)
    assert "set build.judging.context to reference" in said(guess, blind=True)
    assert said(Trust(0, 0.0, 0.0)) == ""
