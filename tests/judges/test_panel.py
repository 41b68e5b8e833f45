"""Judges by themselves: one rating each, and a build that stops when one of them talks nonsense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from clincot.errors import ModelError
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.panel import LEAST, Panel
from clincot.lm.work import finish
from clincot.recipe.parts import Judging


class Every:
    """Cannot be read every `n`-th time (0: never)."""

    key = "1"

    def __init__(self, name: str, n: int = 0, reply: str | None = None) -> None:
        self.name, self.n, self.reply, self.turn = name, n, reply, 0

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        return [self._one() for _ in requests]

    def _one(self) -> Rating:
        self.turn += 1
        failed = self.n and self.turn % self.n == 0
        return Rating(None if failed else 0.5, 0.02 if failed else 1.0, self.reply if failed else None)


def asked(count: int) -> list[JudgeRequest]:
    return [JudgeRequest("Is there a nodule?", None, (), f"statement {i}") for i in range(count)]


def test_every_request_gets_one_rating_per_judge() -> None:
    panel = Panel((Every("a"), Every("b", 1)), Judging())
    assert panel.names == ("a", "b")
    assert [[r.value for r in ratings] for ratings in finish(panel.rate(asked(2)))] == [[0.5, None], [0.5, None]]
    assert finish(Panel((), Judging()).rate(asked(2))) == [(), ()]


@pytest.mark.parametrize(("reply", "shown"), [(None, "mass 0.020"), ("no idea", "reply 'no idea'")])
def test_a_judge_over_the_failure_limit_stops_the_build_and_is_quoted(reply: str | None, shown: str) -> None:
    panel = Panel((Every("a"), Every("bad", 2, reply)), Judging(failure_limit=0.4))
    finish(panel.rate(asked(LEAST - 1)))  # too few to tell
    with pytest.raises(ModelError) as stopped:
        finish(panel.rate(asked(3)))
    message = str(stopped.value)
    assert "judge bad: 26 of 52 ratings" in message
    assert f"Question 'Is there a nodule?', statement 'statement 1': {shown}" in message
    assert message.count("statement '") == 3


def test_failures_at_the_limit_are_counted_and_go_on() -> None:
    panel = Panel((Every("a", 2),), Judging(failure_limit=0.5))
    finish(panel.rate(asked(60)))
    assert (panel.failures["a"].rated, panel.failures["a"].failed, panel.failures["a"].share) == (60, 30, 0.5)


def test_statements_too_long_for_a_judge_are_neither_ratings_nor_failures() -> None:
    class Short(Every):
        def _one(self) -> Rating:
            rating = super()._one()
            return rating if rating.value is not None else Rating(None, 0.0, too_long=True)

    panel = Panel((Short("a", 2),), Judging(failure_limit=0.0))
    finish(panel.rate(asked(2 * LEAST)))
    assert (panel.failures["a"].rated, panel.failures["a"].failed) == (LEAST, 0)


def rated(capsys: pytest.CaptureFixture[str], masses: Sequence[float], **judging: Any) -> str:
    """Return what the panel writes to stderr when two judges rate with these masses, in two calls."""

    class Masses(Every):
        def _one(self) -> Rating:
            self.turn += 1
            return Rating(0.5, masses[self.turn - 1])

    panel = Panel((Masses("mute"), Every("b")), Judging(failure_limit=1.0, **judging))
    finish(panel.rate(asked(19)))
    assert capsys.readouterr().err == ""
    finish(panel.rate(asked(len(masses) - 19)))
    return capsys.readouterr().err


def test_a_judge_with_little_mass_on_its_first_twenty_ratings_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    low = [0.2] * 10 + [0.7] * 10  # the middle two are .2 and .7
    said = rated(capsys, low + [0.1] * 30)
    assert said.count("warning: judge mute: median mass 0.450 (0.200 to 0.700)") == 1
    assert "judge b" not in said
    assert rated(capsys, [0.2] * 9 + [0.5] * 11 + [0.1] * 30) == ""  # the median is .5, and later ratings do not count
    assert rated(capsys, low, scoring="generated") == ""
