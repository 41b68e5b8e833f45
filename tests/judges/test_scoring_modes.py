"""Weighed and written replies -> scores in [0, 1], with what cannot be read as a recorded failure."""

from __future__ import annotations

import pytest

from clincot.errors import RecipeError
from clincot.judges.base import Rating
from clincot.judges.scoring import mode_of, share_of_yes, written_digit


def test_a_written_number_is_a_rating_in_0_to_1_and_the_reply_is_kept() -> None:
    assert written_digit("Score: 4.5", 0.4) == Rating(0.5, 0.4, "Score: 4.5")
    assert written_digit("10", 0.4) == Rating(None, 0.4, "10")


def test_share_of_yes_by_hand() -> None:
    assert share_of_yes([0.3, 0.1]) == Rating(pytest.approx(0.75), pytest.approx(0.4))  # type: ignore[arg-type]
    assert share_of_yes([0.05, 0.04]).value is None


def test_an_unknown_mode_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'generated'"):
        mode_of("generate")
