"""Heads of 32: a judge with them is the judge without, on the prompts that judges read."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers import LlamaForCausalLM

from clincot.phantom.judges.heads import HEAD, padded_heads
from clincot.phantom.judges.pretrain import JUDGE_A, JUDGE_B, judge_prompt, new_judge
from clincot.phantom.judges.rows import judge_rows

ROWS = judge_rows(78, "held_out", 0, 3, data_seed=3)


@pytest.mark.parametrize(("plan", "narrow"), [(JUDGE_A, 20), (JUDGE_B, 18)])
def test_a_judge_with_padded_heads_has_the_probabilities_of_the_judge(plan, narrow):
    model, tokenizer = new_judge(replace(plan, layers=2), ROWS)
    model.eval()
    padded = padded_heads(model)
    assert (model.config.head_dim, padded.config.head_dim) == (narrow, HEAD)
    flat = LlamaForCausalLM(model.config).eval()  # without its attention, to see that there is something to compare
    flat.load_state_dict({k: 0 * v if "q_proj" in k else v for k, v in model.state_dict().items()})
    for row in ROWS[::25]:
        ids = torch.tensor([tokenizer(judge_prompt(tokenizer, row), add_special_tokens=False)["input_ids"]])
        with torch.no_grad():
            one, other, without = (m(ids).logits.softmax(-1) for m in (model, padded, flat))
        assert (one - other).abs().max() < 1e-6
        assert (one - without).abs().max() > 1e-2


def test_heads_of_the_size_are_left_as_they_are():
    model, _ = new_judge(replace(JUDGE_A, layers=1, width=64, heads=2), ROWS)
    assert padded_heads(model) is model


def test_the_dtype_and_what_generation_stops_at_are_kept(tmp_path):
    model, tokenizer = new_judge(replace(JUDGE_A, layers=1, width=16, heads=2), ROWS)
    padded = padded_heads(model.to(torch.bfloat16))
    assert padded.dtype == torch.bfloat16
    assert padded.generation_config.eos_token_id == tokenizer.eos_token_id
