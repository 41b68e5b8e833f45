"""Packed rows prove themselves on the first batch; where a model reads them otherwise, two rows a pair are used."""

from __future__ import annotations

import warnings

import pytest
import torch
from transformers import AutoModelForImageTextToText

from clincot.objectives.layout import TOLERANCE, RowsWarning, settle_layout
from tests.objectives.rows import make_group, make_row
from tests.objectives.test_margin_dpo import randomise
from tests.objectives.test_rows_by_hand import laid_out


@pytest.fixture
def rows():
    return [*make_group(0), make_row(8, group="x"), make_row(9, group="y")]


@pytest.mark.parametrize("layout", ["shared", "group"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_llava_passes_and_is_left_as_it_was(base, processor, rows, tmp_path, layout, dtype):
    trainer = laid_out(base, processor, rows, tmp_path, layout, dtype=dtype)
    randomise(trainer.model)
    before = {n: p.clone() for n, p in trainer.model.named_parameters()}
    state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RowsWarning)
        found = settle_layout(trainer, dtype)
    assert found.rows == trainer.data_collator.layout == layout and found.reason == ""
    assert found.loss_error <= TOLERANCE[dtype][0] and 0 < found.gradient_error <= TOLERANCE[dtype][1]
    assert all(torch.equal(before[n], p) and p.grad is None for n, p in trainer.model.named_parameters())
    assert torch.equal(state, torch.get_rng_state())


def falls_back(trainer, reason: str) -> None:
    with pytest.warns(RowsWarning, match=reason):
        found = settle_layout(trainer, torch.float32)
    assert found.rows == trainer.data_collator.layout == "pair"
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert len(logs) == trainer.args.max_steps


@pytest.mark.parametrize("layout", ["shared", "group"])
def test_a_model_that_ignores_the_mask_is_found_and_trains_on_two_rows_a_pair(base, processor, rows, tmp_path, layout):
    trainer = laid_out(base, processor, rows, tmp_path, layout)
    language = trainer.model.get_base_model().model.language_model
    respectful = language.forward

    def careless(*args, attention_mask=None, **kwargs):
        packed = attention_mask is not None and attention_mask.dim() == 4
        return respectful(*args, attention_mask=None if packed else attention_mask, **kwargs)

    language.forward = careless
    pairs = len(rows) if layout == "shared" else 4  # a batch of two elements: pairs, or groups
    falls_back(trainer, "loss and gradient differ from two rows a pair by")
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(len(trainer.train_dataset))])
    assert batch["input_ids"].shape[0] == 2 * len(rows) and "owner" not in batch
    assert pairs <= len(rows)


def test_a_model_that_refuses_a_mask_of_blocks_is_found(base, processor, rows, tmp_path):
    trainer = laid_out(base, processor, rows, tmp_path, "shared")
    language = trainer.model.get_base_model().model.language_model
    forward = language.forward

    def strict(*args, attention_mask=None, **kwargs):
        if attention_mask is not None and attention_mask.dim() == 4:
            raise ValueError("attention_mask must be 2D")
        return forward(*args, attention_mask=attention_mask, **kwargs)

    language.forward = strict
    falls_back(trainer, r"the model does not take such rows \(attention_mask must be 2D\)")


def test_eager_attention_and_a_window_that_slides_are_refused_by_name(base, processor, rows, tmp_path):
    eager = laid_out(base, processor, rows, tmp_path / "eager", "shared")
    eager.model.get_base_model().set_attn_implementation("eager")
    falls_back(eager, "attention 'eager' takes no mask of blocks")
    slides = laid_out(base, processor, rows, tmp_path / "slides", "shared")
    slides.model.get_base_model().config.get_text_config().sliding_window = 40
    falls_back(slides, "attention slides over 40 tokens and a text needs")
    slides.data_collator = laid_out(base, processor, rows, tmp_path / "wide", "shared").data_collator
    slides.model.get_base_model().config.get_text_config().sliding_window = 400
    assert settle_layout(slides, torch.float32).rows == "shared"


def test_a_processor_whose_inputs_cannot_be_cut_is_refused_by_name(base, processor, rows, tmp_path):
    class Typed(type(processor)):
        def __call__(self, *args, **kwargs):
            out = super().__call__(*args, **kwargs)
            return out | {"token_type_ids": torch.zeros_like(out["input_ids"])} if "pixel_values" in out else out

    typed = Typed.from_pretrained(base)
    trainer = laid_out(base, typed, rows, tmp_path, "shared")
    with pytest.warns(RowsWarning, match="its processor makes .*token_type_ids"):
        assert settle_layout(trainer, torch.float32).rows == "pair"


def test_a_model_of_the_same_weights_loads_with_the_attention_that_masks_need(base):
    model = AutoModelForImageTextToText.from_pretrained(base)
    assert model.config.get_text_config()._attn_implementation == "sdpa"
