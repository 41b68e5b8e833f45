"""The judges of a build are tried on right and wrong answers before it: what they are asked, once, and what is said."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.cache import CachedJudge
from clincot.lm.requests import Counters
from clincot.lm.work import finish
from clincot.methods import of_recipe
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.stages.sample.first_look import LOOK, look_at_judges
from clincot.stages.sample.labelled import labelled
from clincot.stages.sample.serving import Models
from tests.lamps import examples, recipe
from tests.methods.small_methods import Config, Matched


class Telling:
    """Rates by the words of the statement; `values` are those of right and of wrong answers."""

    key, scoring = "1", "expected"

    def __init__(self, name: str, right: float, wrong: float, mass: float = 0.9) -> None:
        self.name, self.right, self.wrong, self.mass = name, right, wrong, mass
        self.counters = Counters()
        self.asked: list[JudgeRequest] = []

    def reads(self, request: JudgeRequest) -> str:
        return f"{request.question}{request.statement}"

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        self.asked += requests
        gold = {(e.question, e.encoded()): e.answer for e in ALL}
        return [
            Rating(self.right if r.statement == gold[r.question, r.images[0]] else self.wrong, self.mass)
            for r in requests
        ]


ALL = examples()


def look(folder: Path, *judges: Telling, of: Recipe | None = None) -> list[CachedJudge]:
    settings = of or recipe()
    cached = [CachedJudge(judge, {}) for judge in judges]
    models = Models(None, judges=tuple(cached))
    finish(look_at_judges(settings, of_recipe(settings), ALL, models, folder))
    return cached


def test_each_judge_gets_a_line_and_those_that_say_little_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, alike, guess = Telling("good", 0.9, 0.2), Telling("alike", 0.5, 0.49), Telling("guess", 0.3, 0.6)
    cached = look(tmp_path, good, alike, guess, Telling("vague", 0.9, 0.1, mass=0.2))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        *("judge good", "judge alike", "WARNING", "judge guess", "WARNING", "judge vague", "WARNING")
    ]
    assert lines[0].endswith(
        "mass 0.900, AUC 1.00 right against wrong, ties 0%, mean 0.55, 8 in 50% (20 ratings, before the build)"
    )
    assert "rated alike" in lines[2] and "no higher than wrong" in lines[4] and "median mass 0.200" in lines[6]
    kept = json.loads((tmp_path / LOOK).read_text())
    assert kept["guess"]["auc"] == 0.0 and kept["good"]["rated"] == 20
    # They are ratings of no candidate: none is stored, so that no row and no later build changes.
    assert all(judge.take_fresh() == () for judge in cached)


def test_a_judge_that_sees_may_still_rate_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guess, unread = Telling("guess", 0.3, 0.6), Telling("unread", 0.9, 0.1, mass=0.2)
    guess.sees = unread.sees = True  # type: ignore[attr-defined]
    look(tmp_path, guess, unread)
    _, first, _, second = capsys.readouterr().err.splitlines()
    assert "--findings" in first and "Stop the build" not in first
    assert "median mass 0.200" in second and "Stop the build" in second


def test_a_build_that_goes_on_does_not_try_its_judges_again(tmp_path: Path) -> None:
    judge = Telling("good", 0.9, 0.2)
    look(tmp_path, judge)
    asked = len(judge.asked)
    look(tmp_path, judge)
    assert len(judge.asked) == asked == 20
    look(tmp_path / "another", judge)
    assert len(judge.asked) == 40


def test_they_are_asked_as_the_method_asks(tmp_path: Path) -> None:
    shown, blind = Telling("a", 0.9, 0.2), Telling("a", 0.9, 0.2)
    look(tmp_path / "a", shown)
    look(tmp_path / "b", blind, of=recipe("build.judging.context=blind"))
    assert {r.reference for r in blind.asked} == {None}
    assert all(r.reference for r in shown.asked) and len({r.images for r in shown.asked}) > 1
    # ClinCoT rates its first step, which is no report, by the rubric of statements.
    assert not any(r.report for r in shown.asked)
    method = Matched(Config())  # cannot name its shortest request
    other = Telling("a", 0.9, 0.2)
    finish(look_at_judges(recipe(), method, ALL, Models(None, judges=(other,)), tmp_path / "c"))
    assert {r.report for r in other.asked} == {True, False} and all(r.reference for r in other.asked)


def test_a_judge_that_was_warned_about_gets_no_second_warning_of_its_mass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, vague = recipe(), Telling("vague", 0.9, 0.1, mass=0.2)
    models = Models(None, judges=(vague,))
    finish(look_at_judges(settings, of_recipe(settings), ALL, models, tmp_path))
    finish(models.panel(settings.build.judging).rate(vague.asked))
    assert capsys.readouterr().err.count("mass 0.200") == 2  # its line and one warning


def test_wrong_answers_are_of_the_same_type_and_never_another_wording_of_the_right_one() -> None:
    def open_question(i: int, answer: str, kind: str = "open") -> Example:
        return replace(ALL[1], id=f"q{i}", answer=answer, answer_type=kind)  # type: ignore[arg-type]

    asked = [open_question(i, a) for i, a in enumerate(("Right lung", "right lung.", "Right", "LEFT lung", "right"))]
    asked.append(open_question(9, "Yes", "closed"))
    for seed in range(20):
        chosen = labelled(asked, 10, seed)
        assert {(q.right, q.wrong) for q in chosen if q.wrong != "LEFT lung"} <= {
            *(("LEFT lung", wrong) for wrong in ("Right lung", "right lung.", "Right", "right"))
        }
        assert sorted(q.example.id for q in chosen) == ["q0", "q1", "q2", "q3", "q4"]  # no wrong answer to "Yes"
    assert labelled(asked, 2, 5) == labelled(asked, 10, 5)[:2]
    assert labelled(ALL[:1], 10, 0) == []


def test_a_large_benchmark_in_which_all_answers_are_the_same_is_given_up_in_time() -> None:
    alike = [replace(ALL[0], id=f"q{i}") for i in range(20_000)]
    started = time.perf_counter()
    assert labelled(alike, 60, 0) == []
    assert time.perf_counter() - started < 20  # 1.5 s on an idle machine; minutes if every pair were looked at


def test_questions_whose_image_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    judge = Telling("a", 0.9, 0.2)
    broken = [replace(e, image=b"broken", image_id="bad") if "/1/" in e.id else e for e in ALL]
    finish(look_at_judges(recipe(), of_recipe(recipe()), broken, Models(None, judges=(judge,)), tmp_path))
    assert 0 < len(judge.asked) < 20 and b"broken" not in {r.images[0] for r in judge.asked}
