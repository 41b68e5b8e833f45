"""Rounds of training on every class: texts scored as generation scores them, a second round, one exported model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForImageTextToText, LogitsProcessor
from trl.trainer.utils import add_fused_lm_head

from clincot.errors import ModelError
from clincot.objectives.collator import PairCollator
from clincot.objectives.head import own_logits
from clincot.objectives.layout import RowsWarning
from clincot.objectives.sides import Renderer, Side
from clincot.recipe import Margin
from clincot.stages.train.dpo import TrainJob, train_adapter
from clincot.stages.train.export import export_merged
from clincot.stages.train.policy import open_processor
from tests.objectives.rows import make_row, write_rows
from tests.stages.train.test_train import WEIGHTS, make_recipe
from tests.vlms import PLAIN, WITH_TORCHVISION, Made, llava_clip_llama, paligemma, tiny_vlm

Make = Callable[[], Made]
LLAVA = ("llava_clip_llama", "llava_siglip_qwen2", "llava_mistral", "vip_llava", "aya_vision", "internvl")
# What a column of tokens says differs, and a head that TRL would read from the text config; others: `make test-long`.
OFTEN = {"mllama", "paligemma", "gemma3", "aya_vision"}


def classes(often: set[str]) -> Iterator[Any]:
    absent = find_spec("torchvision") is None
    for make in (*PLAIN, *WITH_TORCHVISION):
        marks = [] if make.__name__ in often else [pytest.mark.long]
        if make in WITH_TORCHVISION:
            marks = [pytest.mark.skipif(absent, reason="torchvision is not installed")]
        yield pytest.param(make, id=make.__name__, marks=marks)


class Forced(LogitsProcessor):
    """Lets `generate` write `ids`, and keeps their log-probability (nats)."""

    def __init__(self, ids: list[int]) -> None:
        self.ids, self.total = iter(ids), 0.0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        token = next(self.ids)
        self.total += torch.log_softmax(scores[0].float(), -1)[token].item()
        return torch.full_like(scores, -torch.inf).index_fill(1, torch.tensor([token]), 0.0)


def generated(model: Any, processor: Any, side: Side) -> float:
    ids = processor.tokenizer(side.completion, add_special_tokens=False)["input_ids"]
    inputs = processor(images=[list(side.images)], text=[side.prompt], add_special_tokens=False, return_tensors="pt")
    forced = Forced(ids)
    model.generate(**inputs, max_new_tokens=len(ids), do_sample=False, logits_processor=[forced])
    return forced.total


@pytest.mark.parametrize("make", classes(OFTEN))
@torch.no_grad()
def test_texts_have_the_log_probabilities_that_generation_gives_them(make: Make, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    base = tiny_vlm(make, tmp_path / "base")
    processor, ends, _ = open_processor(base)
    collator = PairCollator(Renderer(processor, end_tokens=ends), Margin())
    sides = [side for number in range(2) for side in collator.renderer.pair(make_row(number))]
    model: Any = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32).eval()
    expected = [generated(model, processor, side) for side in sides]
    batch = collator.tokens(sides)  # of several lengths: padded
    labels = batch["input_ids"].masked_fill(batch.pop("completion_mask") == 0, -100)
    with own_logits(model):
        add_fused_lm_head(model)
    for training in (False, True):  # some classes mask otherwise in training
        model.train(training)
        found = model(**batch, labels=labels, fused_lm_head=True).log_probs.sum(1).tolist()
        assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("make", classes(set()))
@pytest.mark.filterwarnings(f"ignore::{RowsWarning.__module__}.RowsWarning")
def test_two_rounds_and_an_export(make: Make, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    base = tiny_vlm(make, tmp_path / "base")
    rows = write_rows(tmp_path / "rows.parquet", [make_row(i) for i in range(4)])
    recipe = make_recipe(dpo={"max_steps": 2}, projector_lr=1e-3)
    first = train_adapter(TrainJob(recipe, 1, (rows,), base, str(base), None, tmp_path / "one", False))
    job = TrainJob(recipe, 2, (rows,), base, str(base), first.adapter, tmp_path / "two", False)
    second = train_adapter(job)
    shared = make.__name__ in LLAVA  # their processors make pixels and image tokens of one kind
    for outcome in (first, second):
        facts = outcome.facts
        assert facts["first_gap"] == 0.0 and facts["known_first_loss"] == pytest.approx(facts["first_loss"], abs=1e-6)
        assert facts["rows"] == ("shared" if shared else "pair") and facts["rows_gradient_error"] < 1e-5
    trained = first.facts["projector"]["modules"]
    assert trained and first.facts["projector"] == second.facts["projector"]
    before, after = (load_file(outcome.adapter / WEIGHTS) for outcome in (first, second))
    assert before.keys() == after.keys() and all(not torch.equal(before[name], after[name]) for name in before)
    assert all(any(f".{name}." in weight for weight in before) for name in trained)
    assert export_merged(base, second.adapter, tmp_path / "merged").difference < 1e-5


def test_a_processor_that_reads_no_prompt_without_images_is_named(tmp_path: Path) -> None:
    processor, ends, _ = open_processor(tiny_vlm(paligemma, tmp_path / "base"))
    collator = PairCollator(Renderer(processor, end_tokens=ends), Margin())
    prompt = [{"role": "user", "content": "Is there a nodule?"}]
    row = make_row(0, images=[], side_images=[], prompt=prompt)
    with pytest.raises(
        ModelError, match=r"policy: its processor reads no prompt without images \(`images` are expected"
    ):
        collator([row])


def test_a_head_that_does_other_than_the_model_is_refused() -> None:
    model = llava_clip_llama()[0]

    def doubled(module: Any, inputs: Any, output: Tensor) -> Tensor:  # the model's own logits, which the head goes past
        return 2 * output

    with (
        pytest.raises(ModelError, match="log-probabilities of a llava that are .* nats from its own"),
        own_logits(model),
    ):
        model.get_output_embeddings().register_forward_hook(doubled)
        add_fused_lm_head(model)
