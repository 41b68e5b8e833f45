"""The judges of version 2: rubric by hand, rows with their traits, a short training, and the shipped judges' gates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import clincot
from clincot.phantom.v2.gates.ordering import within_group_auc
from clincot.phantom.v2.judges import rubric
from clincot.phantom.v2.judges.figures import judge_gates, noise, other_sides
from clincot.phantom.v2.judges.knowledge import blind_digit
from clincot.phantom.v2.judges.plan import JUDGE_A, JUDGE_B, Traits
from clincot.phantom.v2.judges.pretrain import pretrain_judges
from clincot.phantom.v2.judges.rows import RatedRow, judge_rows
from clincot.phantom.v2.judges.statements import Text
from clincot.phantom.v2.texts.statements import Statement

MODELS = Path(clincot.__file__).parent / "phantom" / "models" / "v2"
KNOWN = (Statement(1, 3, "left", "upper"), Statement(1, 0, "right", "lower"))


@pytest.mark.parametrize(
    ("said", "digit", "blind_to_sides"),
    [
        (Statement(1, 3, "left", "upper"), 9, 9),
        (Statement(1, 3, "right", "upper"), 7, 9),
        (Statement(1, 0, "left", "upper"), 7, 7),  # the zone is that of the one, the size that of the other
        (Statement(2, 4, "right", "middle"), 4, 4),
        (Statement(0), 5, 5),
        (None, 0, 0),
    ],
)
def test_a_finding_is_rated_by_the_nodule_that_it_fits_best(said, digit, blind_to_sides):
    assert rubric.finding_digit(said, KNOWN) == digit
    assert rubric.finding_digit(said, KNOWN, sides=False) == blind_to_sides


def test_where_the_reference_has_no_nodule_none_is_right_and_one_is_wrong():
    assert [rubric.finding_digit(said, ()) for said in (Statement(0), KNOWN[0])] == [9, 0]


def test_answers_near_the_right_one_are_half_right_and_answers_to_another_question_are_not():
    rated = [rubric.answer_digit(text, "2", "count") for text in ("2", "3", "1", "4", "left")]
    assert rated == [9, 4, 4, 0, 1]
    assert rubric.answer_digit("severe", "mild", "severity") == 0
    assert [rubric.answer_digit("left", "right", "more", sides=seen) for seen in (True, False)] == [0, 9]
    assert rubric.answer_digit("10 10 20 20", "12 12 22 22", "box") == round(9 * 64 / 136)


def test_a_report_is_rated_by_its_parts_over_the_longer_of_the_two():
    gold = "There is one large nodule in the left upper zone. There is one tiny nodule in the right lower zone."
    first, wrong = gold.split(". ")[0] + ".", gold.replace("tiny", "huge")
    assert [rubric.report_digit(text, gold) for text in (gold, first, wrong, "No nodule is seen.")] == [9, 4, 8, 0]
    assert rubric.report_digit("No nodule is seen.", "No nodule is seen.") == 9


def test_without_a_reference_findings_so_far_decide_answers_and_nothing_about_a_region():
    so_far = ("The local image shows one large nodule in the left upper zone.",)
    yes, no = (Text(text, 0, 1, 0.0, 0.0) for text in ("yes", "I think no"))
    assert [blind_digit(text, "presence", so_far, step=False) for text in (yes, no)] == [7, 2]
    assert blind_digit(yes, "presence", (), step=False) == 4
    assert blind_digit(replace(yes, text=so_far[0]), "presence", so_far, step=True) == 4


def test_rows_repeat_and_traits_change_digits_alone():
    plain, again = (judge_rows(77, "held_out", 0, 4, 1) for _ in range(2))
    assert plain == again
    assert {row.form for row in judge_rows(77, "held_out", 0, 12, 1)} == {"both", "blind"}
    longer = judge_rows(77, "held_out", 0, 4, 1, Traits(length=0.6))
    assert [row.statement for row in longer] == [row.statement for row in plain]
    assert longer != plain
    levels = {round(row.truth * 5) for row in plain if row.kind == "step"}
    assert len(levels) >= 4


def test_pairs_count_within_their_group_and_equal_scores_half():
    assert within_group_auc([0.3, 0.1, 0.1, 0.9], [1.0, 0.0, 1.0, 0.0], ["a", "a", "a", "b"]) == (0.75, 2)
    assert within_group_auc([None, 0.1], [1.0, 0.0], ["a", "a"])[1] == 0


def _row(text: str, truth: float) -> RatedRow:
    return RatedRow("?", "r", (), text, 0, "step", "both", "1/0", truth, truth)


def test_sides_are_compared_in_texts_that_differ_in_nothing_else_and_noise_has_no_truth_in_it():
    texts = ("one tiny nodule in the left upper zone", "one tiny nodule in the right upper zone", "no nodule")
    rows = [_row(f"Seen here: {text}.", truth) for text, truth in zip(texts, (1.0, 0.8, 0.6), strict=True)]
    assert other_sides(np.array([5.0, 5.0, 9.0]), rows) == (0.5, 1)
    assert noise(np.array([1.0, 3.0]), [rows[0], rows[0]]).tolist() == [-1.0, 1.0]


def test_training_writes_two_judges_with_cards(tmp_path):
    small = {"width": 16, "inner": 16, "layers": 1, "heads": 2, "phantoms": 3, "held_out": 3}
    plans = (replace(JUDGE_A, **small), replace(JUDGE_B, **small))
    folders = tmp_path / "a", tmp_path / "b"
    gates = pretrain_judges(*folders, seed=78, report=lambda line: None, plans=plans)
    assert gates[-1].name == "noise of both judges, correlation"
    cards = [(folder / "README.md").read_text(encoding="utf-8") for folder in folders]
    assert "for each word more" in cards[0] and "left and right are the same" in cards[1]
    assert "judge-b" not in cards[0]


def test_the_shipped_judges_order_findings_and_err_in_their_own_ways():
    folders = MODELS / "judge-a", MODELS / "judge-b"
    gates = {gate.name: gate.value for gate in judge_gates((JUDGE_A, JUDGE_B), folders, 77, 100)}
    assert gates["judge-b: all texts, within-group AUC"] > gates["judge-a: all texts, within-group AUC"] > 0.6
    assert 0.35 < gates["judge-b: right side against the other, AUC"] < 0.65
    assert gates["judge-a: noise and number of words, correlation"] > 0.1
    assert gates["noise of both judges, correlation"] < 0.55
