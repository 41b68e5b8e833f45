"""The judges' rubric, rows and packing, and the weights that are shipped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoTokenizer

import clincot
from clincot.chain.prompts import judge_messages
from clincot.phantom.judges import rubric
from clincot.phantom.judges.figures import DIGITS, expected_digits, judge_figures, ranking
from clincot.phantom.judges.heads import HEAD
from clincot.phantom.judges.packs import pack, packed_losses
from clincot.phantom.judges.pretrain import JUDGE_A, JUDGE_B, judge_prompt, new_judge, packs_of, pretrain_judges
from clincot.phantom.judges.rows import JudgeRow, judge_rows, right_wrong_pairs, with_noise
from clincot.phantom.judges.rubric import Knowledge

MODELS = Path(clincot.__file__).parent / "phantom" / "models"
SEED = 78  # a world that no model was trained in
NODULE = Knowledge({"nodule": ("left", "upper")})
REPORT = "The heart is enlarged. The lungs are clear. There is no effusion. There is no pneumothorax."


@pytest.fixture(scope="module")
def rows() -> list[JudgeRow]:
    return judge_rows(SEED, "held_out", 0, 12, data_seed=3)


@pytest.mark.parametrize(
    ("named", "asked", "digit"),
    [
        (["nodule"], "nodule", 9),
        (["nodule"], "", 9),
        ([], "nodule", 4),
        ([], "effusion", 8),
        (["nodule"], "effusion", 8),
        (["effusion"], "effusion", 0),
        (["effusion"], "nodule", 1),
        (["nodule", "effusion"], "nodule", 2),
        ([], "", 3),
    ],
)
def test_a_step_finding_is_rated_by_truth_and_by_what_it_does_for_the_question(named, asked, digit):
    assert rubric.step_digit(named, asked, NODULE) == digit


def test_a_true_finding_beside_the_question_is_rated_as_silence_is():
    both = Knowledge({"nodule": ("left", "upper"), "effusion": ("left", "lower")})
    assert rubric.step_digit(["nodule"], "effusion", both) == rubric.step_digit([], "effusion", both) == 4


def test_a_whole_report_is_rated_by_the_rubric_of_reports_and_nothing_else_is(rows):
    assert {"left out count against" in row.messages[1]["content"] for row in rows if row.kind == "report"} == {True}
    assert not any("left out count against" in row.messages[1]["content"] for row in rows if row.kind != "report")


def test_a_reference_that_leaves_a_finding_open_gives_a_middling_digit():
    known = Knowledge({}, frozenset({"effusion"}))
    assert rubric.step_digit(["effusion"], "nodule", known) == rubric.UNSURE
    assert rubric.presence_digit(True, "effusion", known) == rubric.UNSURE


def test_a_wrong_side_is_worse_than_a_wrong_zone():
    digits = [
        rubric.placed_digit("nodule", place, "nodule", NODULE) for place in (("left", "upper"), ("left", "lower"))
    ]
    assert [*digits, rubric.placed_digit("nodule", ("right", "upper"), "nodule", NODULE)] == [9, 3, 1]
    assert rubric.zone_digit(("left", ""), ("left", "upper")) == 5


def test_a_report_loses_four_for_a_missed_finding_and_two_for_a_wrong_place():
    truth = {"nodule": ("left", "upper"), "effusion": ("left", "lower")}
    assert rubric.report_digit(truth, truth) == 9
    assert rubric.report_digit({"nodule": ("left", "upper")}, truth) == 5
    assert rubric.report_digit({**truth, "effusion": ("right", "lower")}, truth) == 7


def test_rows_repeat_exactly_and_hold_right_and_wrong_statements_of_every_kind(rows):
    assert judge_rows(SEED, "held_out", 0, 12, data_seed=3) == rows
    kinds = {kind: Counter(row.digit >= 7 for row in rows if row.kind == kind) for kind in {row.kind for row in rows}}
    assert set(kinds) == {"step", "presence", "open", "side", "zone", "normal", "report"}
    assert all(counts[True] and counts[False] for counts in kinds.values())
    assert {row.reference is None for row in rows} == {True, False}


def test_rows_do_not_depend_on_the_hash_seed_of_the_process():
    code = f"from clincot.phantom.judges.rows import judge_rows as j; print(j({SEED}, 'held_out', 0, 4, 3))"
    said = [
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True)
        for seed in ("1", "2")
    ]
    assert said[0].stdout == said[1].stdout
    assert b"JudgeRow" in said[0].stdout


def test_pairs_never_mix_contexts(rows):
    pairs = right_wrong_pairs(rows)
    assert pairs
    for right, wrong in pairs:
        assert rows[right].context == rows[wrong].context
        assert rows[right].digit >= 7 > 2 >= rows[wrong].digit


def test_noise_moves_about_the_asked_share_and_keeps_digits(rows):
    noisy = with_noise(rows, np.random.default_rng(0), shift=0.3, flip=0.0)
    moved = np.mean([a.digit != b.digit for a, b in zip(rows, noisy, strict=True)])
    assert 0.1 < moved < 0.35  # steps beyond 0 and 9 are cut
    assert all(0 <= row.digit <= 9 for row in noisy)


def test_packed_losses_equal_those_of_the_rows_one_by_one(rows):
    few = [row for row in rows if row.context == rows[0].context]
    model, tokenizer = new_judge(replace(JUDGE_A, width=16, inner=16, layers=2, heads=2), rows)
    packed, _ = packed_losses(model, packs_of(tokenizer, few))
    alone = []
    for row in few:
        text = judge_prompt(tokenizer, row) + str(row.digit) + tokenizer.eos_token
        tokens = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
        logs = model(tokens).logits[0].log_softmax(-1)
        alone.append(-(logs[-3, tokens[0, -2]] + logs[-2, tokens[0, -1]]))
    assert packed.item() == pytest.approx(torch.stack(alone).mean().item(), rel=1e-5)


def test_a_pack_keeps_the_positions_its_rows_have_alone():
    one = pack([[1, 2, 3, 4, 5, 6], [1, 2, 9, 5, 6]])
    assert one.tokens == (1, 2, 3, 4, 5, 6, 9, 5, 6)
    assert one.positions == (0, 1, 2, 3, 4, 5, 2, 3, 4)
    assert one.branches == (0, 0, 1, 1, 1, 1, 2, 2, 2)


@pytest.mark.parametrize(("name", "least"), [("judge-a", 0.9), ("judge-b", 0.8)])
def test_the_shipped_judge_prefers_right_to_wrong_and_replies_with_digits(name, least, rows):
    few = [row for row in rows if row.form != "blind"][:60]
    values, masses = expected_digits(MODELS / name, few)
    assert masses.min() > 0.9
    assert ranking(values, few, right_wrong_pairs(few))[0] > least


# From the report alone the weaker judge has .57 of the pairs with a right "yes"; the benchmark's references carry
# the answer as well.
@pytest.mark.parametrize(("name", "least"), [("judge-a", 0.7), ("judge-b", 0.5)])
def test_the_shipped_judge_checks_a_bare_yes_or_no_against_the_report(name, least):
    few = judge_rows(SEED, "held_out", 100, 25, data_seed=3)
    few = [row for row in few if row.kind == "presence" and row.form == "report" and row.statement in ("yes", "no")]
    values, _ = expected_digits(MODELS / name, few)
    for there in (True, False):
        pairs = [(i, j) for i, j in right_wrong_pairs(few) if (few[i].statement == "yes") == there]
        assert ranking(values, few, pairs)[0] > least


@pytest.mark.parametrize("name", ["judge-a", "judge-b"])
def test_the_shipped_judge_checks_a_bare_yes_or_no_against_answer_and_report(name):
    few = [replace(row, reference=f"Answer: {answer}. Report: {row.reference}") for row, answer in _bare_rows()]
    values, _ = expected_digits(MODELS / name, few)
    assert ranking(values, few, right_wrong_pairs(few))[0] > 0.85


def _bare_rows() -> list[tuple[JudgeRow, str]]:
    """Bare replies to presence questions with the report as reference, each with the right reply."""
    few = judge_rows(SEED, "held_out", 100, 15, data_seed=3)
    few = [row for row in few if row.kind == "presence" and row.form == "report" and row.statement in ("yes", "no")]
    return [(row, row.statement if row.digit >= 7 else {"yes": "no", "no": "yes"}[row.statement]) for row in few]


@pytest.mark.parametrize("name", ["judge-a", "judge-b"])
def test_the_shipped_judge_has_single_token_digits_and_a_system_turn(name):
    tokenizer = AutoTokenizer.from_pretrained(MODELS / name)
    assert all(len(tokenizer.encode(digit, add_special_tokens=False)) == 1 for digit in DIGITS)
    text = tokenizer.apply_chat_template(judge_messages("Is there a nodule?", REPORT, (), "yes"), tokenize=False)
    assert text.index("radiology reviewer") < text.index("Reference: ") < text.index("Statement: yes")
    assert (MODELS / name / "model.safetensors").stat().st_size < 1_400_000


def test_training_writes_two_loadable_judges_with_cards(tmp_path):
    small = {"width": 16, "inner": 16, "layers": 1, "heads": 2, "phantoms": 3, "held_out": 4, "per_context": 4}
    plans = (replace(JUDGE_A, **small), replace(JUDGE_B, **small))
    folders = tmp_path / "a", tmp_path / "b"
    figures = pretrain_judges(*folders, seed=SEED, report=lambda line: None, plans=plans)
    held_out = judge_rows(SEED, "held_out", 0, 4, data_seed=0)
    for plan, folder in zip(plans, folders, strict=True):
        again, _ = judge_figures(folder, held_out)
        assert again["right"] == pytest.approx(figures[plan.name]["right"], abs=1e-5)
        assert AutoConfig.from_pretrained(folder).head_dim == HEAD
        assert "clincot phantom pretrain --only judges" in (folder / "README.md").read_text(encoding="utf-8")
    assert (folders[0] / "model.safetensors").read_bytes() != (folders[1] / "model.safetensors").read_bytes()
