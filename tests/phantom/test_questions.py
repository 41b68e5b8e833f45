"""Questions and sentences: balanced, true, and the same for the same phantom."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from clincot.phantom.drawing.draw import draw
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.texts.questions import KINDS, finding_sentence, questions, report


@pytest.fixture(scope="module")
def asked():
    bank = [draw(1, index) for index in range(250)]
    return [(phantom, question) for phantom in bank for question in questions(phantom)]


def test_an_image_has_about_five_questions_of_all_kinds(asked):
    assert 4 < len(asked) / 250 < 6
    assert {question.kind for _, question in asked} == set(KINDS)


def test_questions_of_a_phantom_never_change():
    assert questions(draw(1, 5)) == questions(draw(1, 5))


def test_yes_and_no_are_about_equally_frequent(asked):
    yes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for _, question in asked:
        if question.kind in ("presence", "normal"):
            yes[question.kind][question.answer] += 1
    for kind in ("presence", "normal"):
        assert 0.4 < yes[kind]["yes"] / yes[kind].total() < 0.6


def test_presence_answers_are_true(asked):
    for phantom, question in asked:
        if question.kind == "presence":
            assert (question.answer == "yes") == (question.finding in phantom.names)


def test_side_and_zone_answers_are_those_of_the_finding(asked):
    for phantom, question in asked:
        if question.kind in ("side", "zone"):
            finding = next(f for f in phantom.findings if f.name == question.finding)
            gold = finding.side if question.kind == "side" else f"{finding.side} {finding.zone} zone"
            assert question.answer == gold


def test_closed_answers_are_one_word(asked):
    closed = {question.answer for _, question in asked if question.answer_type == "closed"}
    assert closed == {"yes", "no", "left", "right"}


def test_no_question_has_an_empty_slot_or_a_double_space(asked):
    for _, question in asked:
        assert "{" not in question.text and "  " not in question.text and question.text[-1] in "?."


def test_a_report_names_each_finding_with_side_and_zone_in_fixed_order():
    phantom = next(p for p in (draw(1, i) for i in range(200)) if p.names == ("nodule", "effusion"))
    nodule, effusion = phantom.findings
    assert report(phantom.findings) == (
        "The heart is normal in size."
        f" There is a nodule in the {nodule.side} {nodule.zone} zone."
        f" There is an effusion in the {effusion.side} lower zone."
        " There is no pneumothorax."
    )


def test_a_normal_report_denies_everything():
    text = "The heart is normal in size. The lungs are clear. There is no effusion. There is no pneumothorax."
    assert report(()) == text


def test_step_sentences_name_what_is_shown_in_fixed_order():
    assert finding_sentence(["effusion", "nodule"]) == "The local image shows a nodule and an effusion."
    assert finding_sentence(["cardiomegaly"]) == "The local image shows cardiomegaly."
    assert finding_sentence([]) == "The local image shows no abnormality."
    assert all(name in finding_sentence([name]) for name in FINDINGS)
