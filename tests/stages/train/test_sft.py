"""The stage of gold answers on a tiny real LLaVA: its loss by hand, a killed run, and a round that starts from it."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText, AutoProcessor

from clincot.errors import DataError, RecipeError
from clincot.images import decode
from clincot.methods.clincot_config import Config
from clincot.objectives.sft import GOLD_FEATURES, gold_row
from clincot.recipe import MethodChoice, Models, ModelSource, Recipe, Train
from clincot.records import Example
from clincot.rows import schema
from clincot.stages.train import sft
from clincot.stages.train.dpo import TrainJob, train_adapter
from clincot.stages.train.sft import SftJob, train_sft
from tests.objectives.rows import make_row, png, write_rows
from tests.tiny import tiny_policy

WEIGHTS = "adapter_model.safetensors"
SFT = {"learning_rate": 3e-2, "per_device_train_batch_size": 2, "num_train_epochs": 4, "logging_steps": 1}
ANSWERS = ("Yes", "No", "A nodule in the left lung.", "The left lung is clear.")


def make_recipe(**changes) -> Recipe:
    source = ModelSource("clincot/tiny")
    values = {"sft": SFT, "dpo": {"max_steps": 1}, "lora": {"r": 4, "lora_alpha": 8}} | changes
    models = Models(source, source, (source, source))
    return Recipe(
        "clincot",
        MethodChoice("clincot", Config()),
        "tests",
        "phantom",
        models,
        train=Train(start="sft", **values),
    )


def example(index: int, answer: str, answer_type: str = "open") -> Example:
    question = "Is there a nodule in the left lung?"
    return Example(f"e{index}", f"i{index}", png(index), question, answer, answer_type, "", "CXR", answer)  # type: ignore[arg-type]


def write_gold(path: Path, examples: list[Example]) -> Path:
    schema.write_parquet([schema.table([gold_row(e)], GOLD_FEATURES) for e in examples], path, GOLD_FEATURES)
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


@pytest.fixture(scope="module")
def job(base, tmp_path_factory) -> SftJob:
    folder = tmp_path_factory.mktemp("sft")
    rows = write_gold(folder / "gold.parquet", [example(i, text) for i, text in enumerate(ANSWERS)])
    return SftJob(make_recipe(), rows, base, str(base), folder)


@pytest.fixture(scope="module")
def trained(job):
    return train_sft(job)


def nll_by_hand(base: Path) -> float:
    """Mean over all answer tokens, end token included, of the base's -log p, each conversation by itself."""
    model, processor = AutoModelForImageTextToText.from_pretrained(base), AutoProcessor.from_pretrained(base)
    total, count = 0.0, 0
    for index, answer in enumerate(ANSWERS):
        question = "Is there a nodule in the left lung?\nAnswer the question based on the image."
        prompt = processor(images=decode(png(index)), text=f"<s><|user|><image>{question}<|assistant|>")["input_ids"]
        tokens = processor.tokenizer(f"{answer}</s>", add_special_tokens=False)["input_ids"]
        ids = torch.tensor([list(prompt[0]) + tokens])
        pixels = processor.image_processor(decode(png(index)), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            logps = model(input_ids=ids, pixel_values=pixels).logits[0].log_softmax(-1)
        places = range(ids.size(1) - len(tokens), ids.size(1))
        total -= sum(logps[at - 1, ids[0, at]].item() for at in places)
        count += len(tokens)
    return total / count


def test_the_first_loss_is_the_likelihood_of_the_answers_alone(base, job, tmp_path):
    whole = make_recipe(sft=SFT | {"per_device_train_batch_size": 4, "max_steps": 1})
    outcome = train_sft(dataclasses.replace(job, recipe=whole, folder=tmp_path))
    assert outcome.facts["first_loss"] == pytest.approx(nll_by_hand(base), abs=1e-4)


def test_it_learns_and_leaves_an_adapter_of_the_recipes_shape(base, trained):
    facts = trained.facts
    assert facts["final_loss"] < 0.95 * facts["first_loss"]
    assert (facts["examples"], facts["steps"], facts["objective"]) == (4, 8, "sft")
    assert sorted(path.name for path in trained.adapter.iterdir()) == ["adapter_config.json", WEIGHTS]
    weights = load_file(trained.adapter / WEIGHTS)
    assert all("language_model" in name for name in weights)
    assert sum(w.numel() for w in weights.values()) == facts["trainable_parameters"]


def killed_at(job: SftJob, step: int) -> None:
    class Die(sft.Live):
        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sft.Live = Die
    train_sft(job)


def test_a_killed_stage_continues_to_the_weights_of_an_uninterrupted_one(job, trained, tmp_path):
    again = dataclasses.replace(job, folder=tmp_path)
    child = multiprocessing.get_context("fork").Process(target=killed_at, args=(again, 2))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL and not (tmp_path / "adapter").exists()
    assert [path.name for path in (tmp_path / "trainer").glob("checkpoint-*")] == ["checkpoint-2"]
    outcome = train_sft(again)
    assert (outcome.adapter / WEIGHTS).read_bytes() == (trained.adapter / WEIGHTS).read_bytes()


def test_round_1_starts_from_it_with_it_as_its_reference(base, trained, tmp_path):
    rows = write_rows(tmp_path / "pairs.parquet", [make_row(0), make_row(1)])
    recipe = make_recipe(dpo={"max_steps": 1, "per_device_train_batch_size": 2})
    outcome = train_adapter(
        TrainJob(recipe, 1, (rows,), base, str(base), trained.adapter, tmp_path, stored_reference=False)
    )
    assert outcome.facts["first_loss"] == pytest.approx(outcome.facts["known_first_loss"], abs=1e-6)
    assert outcome.facts["reference_sha256"] is not None


def test_reports_are_asked_for_as_reports(tmp_path):
    asked = [
        gold_row(example(0, "Clear lungs.", kind))["prompt"][0]["content"][-1]["text"] for kind in ("report", "open")
    ]
    assert asked[0].endswith("Write the report based on the image.")
    assert asked[1].endswith("Answer the question based on the image.")


def test_an_answer_longer_than_the_model_is_refused_before_its_weights_load(job, base, tmp_path):
    import shutil

    bare = shutil.copytree(base, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    rows = write_gold(tmp_path / "long.parquet", [example(0, "Yes"), example(1, "nodule " * 2000)])
    with pytest.raises(DataError, match=r"row e1: has \d+ tokens with its images, the model takes 2048"):
        train_sft(dataclasses.replace(job, base=bare, rows=rows, folder=tmp_path / "work"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sft": {"learning_rat": 1}}, r"train.sft.learning_rat: SFTConfig has no such .*'learning_rate'"),
        ({"sft": {"packing": True}}, r"train.sft.packing: is always False here"),
        ({"sft": {"report_to": "tensorbord"}}, r"train.sft.report_to: .*Did you mean 'tensorboard'"),
    ],
)
def test_settings_that_trl_would_misread_are_refused(job, tmp_path, changes, message):
    with pytest.raises(RecipeError, match=message):
        train_sft(dataclasses.replace(job, recipe=make_recipe(**changes), folder=tmp_path))


def test_a_tracker_that_is_not_installed_is_named_before_a_model_loads(job, tmp_path):
    from importlib.util import find_spec

    missing = next((name for name in ("wandb", "trackio") if find_spec(name) is None), None)
    if missing is None:
        pytest.skip("every tracker is installed")
    recipe = make_recipe(sft=SFT | {"report_to": missing})
    with pytest.raises(RecipeError, match=f"report_to: '{missing}' needs the package {missing}.*pip install {missing}"):
        train_sft(dataclasses.replace(job, recipe=recipe, folder=tmp_path))
