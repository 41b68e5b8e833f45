"""The memory of a step: sums by hand at 7B, what a forward pass really keeps, and the choice that follows."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    LlamaConfig,
    LlavaConfig,
    MistralConfig,
)

from clincot.lm.footprint import empty_model, footprint, of_model
from clincot.recipe.load import Load
from clincot.stages.train.memory import Batch, Step, adapter_size, kept_per_token, needs_checkpointing, step_bytes
from clincot.stages.train.policy import on_language_model
from clincot.stages.train.rows import batch_tokens
from tests.objectives.rows import make_group, make_row
from tests.objectives.test_rows_by_hand import laid_out

SEVEN_B = MistralConfig(
    hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8
)


def test_at_7b_in_bfloat16_a_token_keeps_seven_megabytes():
    config = LlavaConfig(text_config=SEVEN_B)
    model = of_model(empty_model(config), Load(dtype="bfloat16"))
    by_hand = 2 * 32 * (9 * 4096 + 5 * 4096 + 4 * 14336 + 7 * 128)
    assert kept_per_token(model, 128, True) == by_hand == pytest.approx(7.4e6, rel=0.01)


def kept_by(model, batch) -> float:
    """Bytes that the forward pass of `model` keeps in the language model's layers for each token of `batch`."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor):
        mine = tensor.untyped_storage()
        tokens = tensor.numel() // tensor.shape[-1] if tensor.dim() > 1 else 0
        if mine.data_ptr() not in weights and tensor.is_floating_point() and tokens >= batch["input_ids"].numel():
            kept[mine.data_ptr()] = mine.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(**batch, use_cache=False)
    return sum(kept.values()) / batch["input_ids"].numel()


@pytest.mark.parametrize(("dtype", "autocast"), [("float32", False), ("bfloat16", False), ("bfloat16", True)])
@pytest.mark.parametrize("heads", [2, 8])
def test_the_estimate_is_what_a_forward_pass_keeps(dtype, autocast, heads):
    config = LlamaConfig(
        vocab_size=64, hidden_size=128, intermediate_size=352, num_hidden_layers=3, num_attention_heads=8,
        num_key_value_heads=heads, torch_dtype=dtype,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).model
    ids = torch.arange(120).remainder(64).view(2, 60)
    mask = torch.ones(2, 1, 60, 60, dtype=torch.bool).tril()
    sizes = of_model(AutoModelForCausalLM.from_config(config), Load(dtype=dtype))
    adapted = get_peft_model(model.to(getattr(torch, dtype)), LoraConfig(r=8, target_modules="all-linear"))
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        found = kept_by(adapted, {"input_ids": ids, "attention_mask": mask})
    # The norm after the last layer keeps a little more.
    assert kept_per_token(sizes, 8, autocast) == pytest.approx(found, rel=0.05)


def test_the_adapter_is_counted_as_peft_makes_it(base):
    empty = empty_model(AutoConfig.from_pretrained(base))
    sizes = of_model(empty, Load())
    for lora in (
        {"r": 4},
        {"r": 4, "target_modules": ["q_proj", "v_proj"]},
        {"modules_to_save": ["multi_modal_projector"]},
    ):
        model = AutoModelForImageTextToText.from_pretrained(base)
        wanted = on_language_model(model, LoraConfig(**{"target_modules": "all-linear", **lora}))
        made = get_peft_model(model, wanted)
        trained = sum(p.numel() for p in made.parameters() if p.requires_grad)
        assert adapter_size(empty, lora) == trained
    assert adapter_size(empty, {"r": 4}) == 4 * sizes.sides


def test_recomputation_is_chosen_where_the_step_would_not_fit(base):
    model = footprint(base, Load(dtype="float32"))
    step = Step(8 * model.sides, 8, autocast=False, reference=True)
    needed = step_bytes(model, Batch(1000, 1, 1000), step)
    assert needs_checkpointing(base, 1000, torch.float32, free=int(needed / 0.85) - 1000)
    assert not needs_checkpointing(base, 1000, torch.float32, free=int(needed / 0.85) + 1000)
    assert not needs_checkpointing(base, 1000, torch.bfloat16, free=int(needed / 0.85) - 1000)
    assert needs_checkpointing(base, 1000, torch.float32, free=int(needed / 0.85) + 1000, rank=16)


def test_the_largest_batch_is_counted_in_the_layout_it_will_have(base, processor, tmp_path):
    rows = [*make_group(0), make_row(8, group="x"), make_row(9, group="y", chosen="a long finding " * 9)]
    tokens = {}
    for layout in ("pair", "shared", "group"):
        trainer = laid_out(base, processor, rows, tmp_path / layout, layout)
        tokens[layout] = batch_tokens(trainer.train_dataset, trainer.data_collator, 1)
        whole = [trainer.data_collator([element])["input_ids"].numel() for element in trainer.train_dataset]
        assert tokens[layout] == max(whole)
    assert tokens["shared"] < tokens["pair"] < tokens["group"]
