"""A debate of judges whose every reply is written down: agreement in a row, the mean without one, failures."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from clincot.errors import RecipeError
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.consensus import consensus, counted
from clincot.judges.panel import Panel
from clincot.lm.work import finish
from clincot.recipe.parts import Judging
from clincot.records import JudgeScore


class Scripted:
    """Replies per statement in the order of its turns; remembers what it heard."""

    key = "1"

    def __init__(self, name: str, **replies: list[int | None]) -> None:
        self.name = name
        self.replies = replies
        self.heard: list[tuple[str, int | None]] = []

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        self.heard += [(r.statement, r.earlier) for r in requests]
        return [self._next(r.statement) for r in requests]

    def _next(self, statement: str) -> Rating:
        reply = self.replies[statement].pop(0)
        return Rating(None if reply is None else reply / 9, 0.9)


def asked(*statements: str) -> list[JudgeRequest]:
    return [JudgeRequest("?", None, (), statement) for statement in statements]


def judging(**values) -> Judging:
    return Judging(consensus="debate", **values)


def test_a_debate_ends_when_all_agree_in_a_row_and_all_debates_advance_together() -> None:
    a = Scripted("a", quick=[7], slow=[3, 5])
    b = Scripted("b", quick=[7], slow=[5])
    panel = Panel((a, b), judging())
    quick, slow = finish(panel.rate(asked("quick", "slow")))
    assert panel.names == ("a", "b", "debate")
    assert [r.value for r in quick] == pytest.approx([7 / 9] * 3)
    assert [r.value for r in slow] == pytest.approx([5 / 9] * 3)  # a gave in: its last rating counts as its own
    assert a.heard == [("quick", None), ("slow", None), ("slow", 5)]
    assert b.heard == [("quick", 7), ("slow", 3)]


def test_without_agreement_the_mean_of_the_history_counts() -> None:
    panel = Panel((Scripted("a", s=[1, 2, 3]), Scripted("b", s=[9, 8, 7])), judging(debate_rounds=3))
    assert [r.value for r in finish(panel.rate(asked("s")))[0]] == pytest.approx([3 / 9, 7 / 9, 5 / 9])


def test_three_judges_agree_only_when_all_three_do() -> None:
    panel = Panel((Scripted("a", s=[4, 6]), Scripted("b", s=[6]), Scripted("c", s=[6])), judging())
    assert finish(panel.rate(asked("s")))[0][-1].value == pytest.approx(6 / 9)


def test_a_reply_that_cannot_be_read_fails_its_debate_and_no_other() -> None:
    panel = Panel((Scripted("a", bad=[None], good=[2]), Scripted("b", bad=[4], good=[2])), judging())
    bad, good = finish(panel.rate(asked("bad", "good")))
    assert [r.value for r in bad] == [None, pytest.approx(4 / 9), None]
    assert good[-1].value == pytest.approx(2 / 9)


def test_one_judge_is_its_own_debate() -> None:
    panel = Panel((Scripted("a", s=[4]),), judging())
    assert [r.value for r in finish(panel.rate(asked("s")))[0]] == pytest.approx([4 / 9, 4 / 9])


def test_yes_and_no_cannot_be_debated() -> None:
    with pytest.raises(RecipeError, match="scoring to expected or generated"):
        Panel((Scripted("a"),), judging(scoring="yesno"))


def test_the_consensus_of_a_debate_is_its_outcome_and_judges_count_alone_elsewhere() -> None:
    scores = tuple(JudgeScore(name, v, None, v, 1.0) for name, v in (("a", 0.1), ("b", 0.9), ("debate", 0.6)))
    assert [s.judge for s in counted("debate", scores)] == ["debate"]
    assert consensus("debate", [s.total for s in counted("debate", scores)]) == 0.6
    assert [s.judge for s in counted("mean", scores)] == ["a", "b"]
    assert [s.judge for s in counted("mean", scores, 1)] == ["a"]
    assert [s.judge for s in counted("mean", scores, -1)] == ["b"]
    with pytest.raises(RecipeError, match="held no debate"):
        counted("debate", scores[:2])
