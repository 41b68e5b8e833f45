"""Questions of version 2: the mix of kinds, no leading answer, answers by hand, the same questions again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from clincot.phantom.v2.objects import Thing, objects
from clincot.phantom.v2.texts.answers import ANSWERS
from clincot.phantom.v2.texts.balance import FREE, SHARES
from clincot.phantom.v2.texts.questions import answer_from, questions
from clincot.phantom.v2.texts.wording import UNSEEN

SIZE_OF = {"tiny": 3.5, "small": 5.0, "medium": 6.5, "large": 9.0, "huge": 12.0}


@pytest.fixture(scope="module")
def asked() -> list:
    return [question for index in range(1_500) for question in questions(objects(99, index))]


def test_kinds_have_their_shares(asked: list) -> None:
    kinds = Counter(question.kind for question in asked)
    assert sum(SHARES.values()) == 100
    for kind, share in SHARES.items():
        assert 100 * kinds[kind] / len(asked) == pytest.approx(share, abs=3.0), kind


def test_no_answer_leads_its_kind(asked: list) -> None:
    """At most chance + 3 points, and two standard errors of so many questions."""
    for kind in SHARES:
        answers = Counter(question.answer for question in asked if question.kind == kind)
        total, chance = sum(answers.values()), 1 / len(answers)
        noise = 2 * (chance * (1 - chance) / total) ** 0.5
        assert kind in FREE or max(answers.values()) / total <= chance + 0.03 + noise, (kind, answers)


def test_an_image_has_the_same_questions_again_and_unseen_words_keep_the_answers() -> None:
    for index in range(30):
        layout = objects(3, index)
        known, strange = questions(layout), questions(layout, UNSEEN)
        assert known == questions(layout)
        assert [(q.kind, q.answer) for q in known] == [(q.kind, q.answer) for q in strange]
        assert all(q.text in UNSEEN[q.kind] for q in strange)


def _nodule(side: str, zone: str, size: str) -> Thing:
    return Thing("nodule", side, zone, (100.0, 80.0), SIZE_OF[size], 0.2, (0.0, 0.0, 0.0))


def test_answers_by_hand() -> None:
    two = [_nodule("left", "upper", "medium"), _nodule("right", "lower", "large")]
    known = {kind: answer_from(kind, two) for kind in ANSWERS}
    assert known == {
        "presence": "yes",
        "side": None,
        "zone": None,
        "larger": "right",
        "count": "2",
        "more": None,
        "second": "yes",
        "severity": "moderate",
        "box": None,
        "report": (
            "There is one large nodule in the right lower zone. There is one medium nodule in the left upper zone."
        ),
    }
    one = two[:1]
    assert [answer_from(kind, one) for kind in ("side", "zone", "second", "box")] == [
        "left",
        "upper",
        "no",
        "36 28 43 35",
    ]
    assert [answer_from(kind, []) for kind in ("presence", "count", "second", "report")] == [
        "no",
        "0",
        None,
        "No nodule is seen.",
    ]


@pytest.mark.parametrize(("ratio", "answer"), [(1.0, None), (1.14, None), (1.16, "left"), (1.99, "left"), (2.1, None)])
def test_the_larger_is_asked_about_where_a_look_can_tell(ratio: float, answer: str | None) -> None:
    small = _nodule("right", "upper", "small")
    large = replace(_nodule("left", "upper", "small"), radius=small.radius * ratio)
    assert answer_from("larger", [large, small]) == answer
    assert answer_from("larger", [replace(large, side="right"), small]) is None
