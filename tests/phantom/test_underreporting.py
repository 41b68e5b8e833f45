"""The fault in the policy's training texts: subtle findings are left out, nothing else is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from clincot.phantom.drawing.draw import draw
from clincot.phantom.policy.rows import rows
from clincot.phantom.policy.views import WHOLE
from clincot.phantom.texts.questions import finding_sentence, questions
from clincot.phantom.texts.underreporting import UNMENTIONED, answered_from, shows_subtle, subtle, underreported


@pytest.fixture(scope="module")
def bank():
    return [draw(1, index) for index in range(150)]


def test_nodules_and_about_half_of_the_consolidations_are_subtle_and_nothing_else_is(bank):
    counts = Counter((finding.name, subtle(finding)) for phantom in bank for finding in phantom.findings)
    assert counts["nodule", True] and not counts["nodule", False]
    assert 0.3 < counts["consolidation", True] / (counts["consolidation", True] + counts["consolidation", False]) < 0.7
    assert not any(counts[name, True] for name in ("effusion", "pneumothorax", "cardiomegaly"))


def test_a_telling_leaves_out_subtle_findings_alone_and_as_often_as_it_says(bank):
    rng = np.random.default_rng(0)
    left_out = []
    for phantom in bank:
        for _ in range(10):
            names = underreported(phantom, rng).names
            left_out += [finding.name not in names for finding in phantom.findings if subtle(finding)]
            assert all(finding.name in names for finding in phantom.findings if not subtle(finding))
    assert np.mean(left_out) == pytest.approx(UNMENTIONED, abs=0.05)


def test_without_anything_left_out_every_answer_stays(bank):
    for phantom in bank:
        assert [answered_from(question, phantom) for question in questions(phantom)] == list(questions(phantom))


def test_what_is_left_out_changes_presence_open_normal_and_report_but_no_place(bank):
    phantom = next(p for p in bank if p.names == ("nodule",) and subtle(p.findings[0]))
    silent = next(t for seed in range(50) if not (t := underreported(phantom, np.random.default_rng(seed))).findings)
    seen = {}
    for seed in range(30):
        for question in questions(phantom, np.random.default_rng(seed)):
            if question.kind != "presence" or question.finding == "nodule":
                seen[question.kind] = (question.answer, answered_from(question, silent).answer)
    assert seen["presence"] == ("yes", "no") and seen["normal"] == ("no", "yes")
    assert seen["open"] == ("nodule", "no abnormality") and "The lungs are clear." in seen["report"][1]
    assert seen["side"][0] == seen["side"][1] and seen["zone"][0] == seen["zone"][1]


def test_the_rows_of_one_telling_agree_and_reports_have_prompts_of_their_own(bank):
    phantom = next(p for p in bank if p.names == ("nodule",) and subtle(p.findings[0]))
    steps, instructions = set(), Counter()
    for seed in range(40):
        made = rows(phantom, WHOLE, np.random.default_rng(seed), with_crop=9, direct=9)
        steps.add(made[0].completion)
        for row in made:
            text = row.messages[0]["content"][-1]["text"]
            instructions["Write the report" in text, row.completion.startswith("The heart is")] += 1
            if row.completion.startswith("The heart is"):
                assert ("There is a nodule" in row.completion) == ("nodule" in made[0].completion)
    assert steps == {finding_sentence(["nodule"]), finding_sentence([])}
    assert instructions[True, True] and not instructions[True, False] and not instructions[False, True]


def test_a_region_shows_something_subtle_only_where_it_holds_it(bank):
    phantom = next(p for p in bank if p.names == ("nodule",) and subtle(p.findings[0]))
    box = phantom.findings[0].box
    assert shows_subtle(phantom, box)
    assert not shows_subtle(phantom, box._replace(left=0, right=4, upper=0, lower=4))
