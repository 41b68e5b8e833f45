"""perf/real_size.py at a small size on the CPU: the plain step does stock TRL's work, ours equals it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from clincot.chain.prompts import finding_messages
from perf.dpo_counting import SEVEN_B
from perf.real_build import REAL, examples
from perf.scaled_policy import tokenizer

SCRIPT = Path(__file__).parents[2] / "perf" / "real_size.py"


def run(*words: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, timeout=280)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
def test_with_trl_every_row_is_measured_and_equal() -> None:
    code, said = run("--tiny", "--repeats", "1")
    assert code == 0, said
    assert re.search(r"torch \d.*transformers \d.*peft \d.*trl \d", said)
    for row in ("stock TRL", "plain two-row step", "pair", "shared", "group"):
        assert re.search(rf"^\| {row} \| [\d.e+]+ \|", said, re.M), row
    first = re.search(r"^\| stock TRL \|.*\| (\S+) \| (\S+) \|$", said, re.M)
    assert first and max(map(float, first.groups())) < 1e-5


@pytest.mark.long
def test_without_trl_ours_is_a_plain_loop_and_is_called_so() -> None:
    code, said = run("--tiny", "--repeats", "1", "--without-trl")
    assert code == 0, said
    assert "ours is a plain loop in the layouts of clincot" in said and "trl" not in said.splitlines()[0]
    assert "stock TRL" not in said and "| shared |" in said


@pytest.mark.long
def test_a_build_writes_the_same_texts_with_shared_prefixes_and_without() -> None:
    code, said = run("--tiny", "--build")
    assert code == 0, said
    rows = re.findall(r"^\| (shared|whole) \| 12 \| [\d.e+]+ \| ([\d,]+) \| (\d+) \|", said, re.M)
    assert [row[0] for row in rows] == ["shared", "whole"] and "texts equal both ways: 100.0%" in said
    assert int(rows[0][1]) < int(rows[1][1]) / 3 and int(rows[0][2]) < int(rows[1][2])


def test_the_prompts_of_a_real_build_have_as_many_tokens_of_text_as_counted() -> None:
    question = examples(SEVEN_B, REAL)[0].question
    words = tokenizer(question.split(), SEVEN_B.vocabulary)
    messages = list(finding_messages(question, ()))
    ids = words.apply_chat_template(messages, add_generation_prompt=True, tokenize=True)["input_ids"]
    text = [token for token in ids if token != words.convert_tokens_to_ids("<image>")]
    assert len(text) == SEVEN_B.template + SEVEN_B.question and len(ids) == len(text) + 2
