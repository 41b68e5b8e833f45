"""Weighed and written replies -> scores in [0, 1], with what cannot be read as a recorded failure."""

from __future__ import annotations

import pytest

from clincot.errors import RecipeError
from clincot.judges._readouts import readout_of, share_of_yes, written_digit
from clincot.judges.base import Rating


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("7", 7 / 9),
        (" I would say 8 out of 9.", 8 / 9),
        ("Score: 4.5", 0.5),
        ("10", 1.0),
        ("-3", 0.0),
        ("right", None),
        ("", None),
    ],
)
def test_the_first_number_of_a_written_reply_counts_clamped_to_the_scale(reply: str, value: float | None) -> None:
    expected = None if value is None else pytest.approx(value)
    assert written_digit(reply, 0.4) == Rating(expected, 0.4, reply)  # type: ignore[arg-type]


def test_share_of_yes_by_hand() -> None:
    assert share_of_yes([0.3, 0.1]) == Rating(pytest.approx(0.75), pytest.approx(0.4))  # type: ignore[arg-type]
    assert share_of_yes([0.05, 0.04]).value is None


def test_an_unknown_readout_is_refused_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'generated'"):
        readout_of("generate")
