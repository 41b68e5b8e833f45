"""The memory of a step: sums by hand at 7B, what a forward pass really keeps, and the choice that follows."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoConfig, LlavaConfig, MistralConfig

from clincot.stages.train.memory import kept_per_token, needs_checkpointing, weight_bytes
from clincot.stages.train.rows import batch_tokens
from tests.objectives.rows import make_group, make_row
from tests.objectives.test_rows_by_hand import laid_out

SEVEN_B = MistralConfig(
    hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8
)


def test_at_7b_in_bfloat16_a_token_keeps_about_six_megabytes():
    config = LlavaConfig(text_config=SEVEN_B)
    by_hand = 2 * 32 * (6 * 4096 + 2 * 4096 + 2 * 1024 + 4 * 14336)
    assert kept_per_token(config, 2) == by_hand == pytest.approx(5.9e6, rel=0.01)


def test_the_estimate_is_no_less_than_what_a_forward_pass_keeps_and_not_twice_as_much(base, processor, tmp_path):
    trainer = laid_out(base, processor, [make_row(0)], tmp_path, "pair")
    batch = trainer.data_collator([make_row(0)])
    weights = {p.untyped_storage().data_ptr() for p in trainer.model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor):
        if tensor.untyped_storage().data_ptr() not in weights and tensor.dim() >= 3 and tensor.is_floating_point():
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    trainer.model.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = trainer.pair_logps(trainer.model, batch)
    found = sum(kept.values()) / batch["input_ids"].numel()
    expected = kept_per_token(AutoConfig.from_pretrained(base), 4)
    assert outputs[0].chosen.requires_grad
    assert found <= expected <= 2 * found


def test_recomputation_is_chosen_where_the_step_would_not_fit(base):
    step = 1000 * kept_per_token(AutoConfig.from_pretrained(base), 4) + weight_bytes(base)
    assert needs_checkpointing(base, 1000, torch.float32, free=int(step / 0.85) - 1000)
    assert not needs_checkpointing(base, 1000, torch.float32, free=int(step / 0.85) + 1000)
    assert not needs_checkpointing(base, 1000, torch.bfloat16, free=int(step / 0.85) - 1000)


def test_the_largest_batch_is_counted_in_the_layout_it_will_have(base, processor, tmp_path):
    rows = [*make_group(0), make_row(8, group="x"), make_row(9, group="y", chosen="a long finding " * 9)]
    tokens = {}
    for layout in ("pair", "shared", "group"):
        trainer = laid_out(base, processor, rows, tmp_path / layout, layout)
        tokens[layout] = batch_tokens(trainer.train_dataset, trainer.data_collator, 1)
        whole = [trainer.data_collator([element])["input_ids"].numel() for element in trainer.train_dataset]
        assert tokens[layout] == max(whole)
    assert tokens["shared"] < tokens["pair"] < tokens["group"]
