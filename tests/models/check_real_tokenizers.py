"""Real vocabularies of Mistral v1, Llama 3 and Qwen: a judge that was taught 8 and 1 is read as 8 and 1."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clincot.judges.causal_lm import CausalLMJudge
from tests.judges.taught import request, taught
from tests.models.vocabularies import FILES, real_tokenizer

torch.set_num_threads(1)
SPACED = ("mistral-v1",)  # a reply begins with a space piece there


def load(folder: Path, **options: object) -> CausalLMJudge:
    return CausalLMJudge.from_pretrained(folder, name="ns/judge", key="abc", batch_size=4, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", FILES)
def test_a_judge_taught_8_and_1_is_read_as_8_and_1(tmp_path: Path, kind: str) -> None:
    tokenizer = real_tokenizer(kind, tmp_path)
    replies = {digit: tokenizer(digit, add_special_tokens=False)["input_ids"] for digit in "81"}
    assert {len(ids) for ids in replies.values()} == {2 if kind in SPACED else 1}
    folder = taught(tmp_path / "judge", tokenizer, {"Yes": replies["8"], "None": replies["1"]}, rate=0.003)
    asked, judge = [request("Yes"), request("None")], load(folder)
    ratings = judge.rate(asked)
    assert [r.value for r in ratings] == pytest.approx([8 / 9, 1 / 9], abs=0.03)
    assert min(r.mass for r in ratings) > 0.9
    assert judge.key == ("abc+space" if kind in SPACED else "abc")
    assert judge.counters.decoded_tokens == (2 if kind in SPACED else 0)
    written = judge.in_mode("generated").rate(asked)
    assert [r.value for r in written] == pytest.approx([8 / 9, 1 / 9])


@pytest.mark.parametrize("kind", FILES)
def test_a_reply_that_begins_with_words_is_read_after_a_prefill(tmp_path: Path, kind: str) -> None:
    tokenizer = real_tokenizer(kind, tmp_path)
    # What the tokenizer makes of "Rating: 8" where a reply begins.
    before = tokenizer("[/INST]" if kind in SPACED else "\n", add_special_tokens=False)["input_ids"]
    whole = tokenizer(("[/INST] " if kind in SPACED else "\n") + "Rating: 8", add_special_tokens=False)["input_ids"]
    assert whole[: len(before)] == before
    folder = taught(tmp_path / "judge", tokenizer, {"Yes": whole[len(before) :]}, rate=0.003)
    assert load(folder).rate([request("Yes")])[0].value is None
    prefill = " Rating:" if kind in SPACED else "Rating:"
    (rating,) = load(folder, prefill=prefill).rate([request("Yes")])
    assert rating.value == pytest.approx(8 / 9, abs=0.03) and rating.mass > 0.9
