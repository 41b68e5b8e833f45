"""A projector that is trained at its own rate: what moves, what the reference is, what is saved, read and refused."""

from __future__ import annotations

import dataclasses
import multiprocessing
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor

from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError, RecipeError
from clincot.lm.projector import projector_modules
from clincot.recipe import Recipe, load_recipe
from clincot.runs.checks.combinations import check_combinations
from clincot.stages.train import dpo as train
from clincot.stages.train.dpo import TrainJob, train_adapter
from clincot.stages.train.export import export_merged
from tests.objectives.by_hand import text_logp
from tests.objectives.rows import make_row, write_rows
from tests.stages.train.test_language_model import OUTSIDE, SIGLIP, of
from tests.stages.train.test_train import WEIGHTS, killed_at, logits, make_recipe
from tests.tiny import tiny_policy

NAME = "model.multi_modal_projector"
RATE, LORA_RATE = 2e-4, 5e-3
WIDTH = {"text_config": {"hidden_size": 1024}}
QWEN = {
    "Qwen2VL": WIDTH | {"vision_config": {"hidden_size": 1024}},
    "Qwen2_5_VL": WIDTH | {"vision_config": {"out_hidden_size": 1024}},
    "Qwen3VL": WIDTH | {"vision_config": {"out_hidden_size": 1024}},
}
MERGERS = ("model.visual.merger", *(f"model.visual.deepstack_merger_list.{n}" for n in range(3)))
FOUND = {"Idefics2": ("model.connector",), "Idefics3": ("model.connector",), "SmolVLM": ("model.connector",)}
FOUND |= {"Qwen2VL": MERGERS[:1], "Qwen2_5_VL": MERGERS[:1], "Qwen3VL": MERGERS}
FOUND |= dict.fromkeys(("Blip2", "InstructBlip"), ("qformer", "language_projection"))
FOUND |= {"Glm4v": ("model.visual.merger", "model.visual.downsample")}


def recipe(**changes: Any) -> Recipe:
    return make_recipe(projector_lr=changes.pop("projector_lr", RATE), **changes)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


@pytest.fixture(scope="module")
def job(base: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainJob:
    folder = tmp_path_factory.mktemp("rows")
    rows = write_rows(folder / "part.parquet", [make_row(i) for i in range(6)])
    return TrainJob(recipe(), 1, (rows,), base, str(base), None, folder / "job", stored_reference=False)


def watched(job: TrainJob) -> tuple[Any, Any]:
    """The outcome of a job and the trainer that made it."""
    made: list[Any] = []
    original = train._trainer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "_trainer", lambda *given: made.append(original(*given)) or made[-1])
        outcome = train_adapter(job)
    return outcome, made[-1]


@pytest.fixture(scope="module")
def rounds(job: TrainJob, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    first = watched(job)
    folder = tmp_path_factory.mktemp("second")
    return first, watched(dataclasses.replace(job, round=2, parent=first[0].adapter, folder=folder))


def moved(adapter: Path, base: Path, part: str) -> Tensor:
    """The largest step of a weight of the adapter away from where it began; LoRA's B begins at 0."""
    before = load_file(base / "model.safetensors")
    steps = []
    for name, value in load_file(adapter / WEIGHTS).items():
        if part in name and "lora_A" not in name:
            own = name.removeprefix("base_model.model.").removeprefix("model.")
            start = next((v for key, v in before.items() if key.removeprefix("model.") == own), torch.zeros(()))
            steps.append((value - start).abs().max())
    return torch.stack(steps).max()


@pytest.mark.parametrize("rate", [RATE, 3 * RATE])
def test_a_step_moves_the_projector_by_its_rate_and_lora_by_its_own(
    job: TrainJob, base: Path, tmp_path: Path, rate: float
) -> None:
    one = recipe(projector_lr=rate, dpo={"max_steps": 1, "learning_rate": LORA_RATE, "adam_epsilon": 1e-12})
    outcome, trainer = watched(dataclasses.replace(job, recipe=one, folder=tmp_path))
    # Adam's first step is the rate itself, in the direction of the gradient
    assert moved(outcome.adapter, base, "projector") == pytest.approx(rate, rel=1e-3)
    assert moved(outcome.adapter, base, "lora_B") == pytest.approx(LORA_RATE, rel=1e-3)
    assert {group["initial_lr"] for group in trainer.optimizer.param_groups if group["params"]} == {LORA_RATE, rate}
    assert outcome.facts["projector"] == {"modules": [NAME], "learning_rate": rate}


def reference_by_hand(model: Any, base: Path, count: int) -> list[float]:
    processor = AutoProcessor.from_pretrained(base)
    with torch.no_grad():
        return [text_logp(model.eval(), processor, make_row(i), side).item() for side in (0, 1) for i in range(count)]


def reference_of(trainer: Any, count: int) -> list[float]:
    inputs = trainer._prepare_inputs(trainer.data_collator([trainer.train_dataset[i] for i in range(count)]))
    with torch.no_grad():
        return torch.cat(trainer.reference(inputs)).tolist()


def test_the_reference_is_the_untouched_base_and_then_the_round_before(rounds: tuple[Any, Any], base: Path) -> None:
    (first, trainer), (second, later) = rounds
    plain = AutoModelForImageTextToText.from_pretrained(base)
    expected = reference_by_hand(plain, base, 4)
    assert reference_of(trainer, 4) == pytest.approx(expected, rel=1e-6)
    before = reference_by_hand(PeftModel.from_pretrained(plain, first.adapter), base, 4)
    assert reference_of(later, 4) == pytest.approx(before, rel=1e-6) and before != pytest.approx(expected, rel=1e-3)
    for outcome in (first, second):
        assert outcome.facts["first_gap"] == 0.0
        assert outcome.facts["first_loss"] == pytest.approx(outcome.facts["known_first_loss"], abs=1e-6)


def test_peft_and_the_engine_read_it_and_the_merged_model_has_it(
    rounds: tuple[Any, Any], base: Path, tmp_path: Path
) -> None:
    _, (second, trainer) = rounds
    processor = AutoProcessor.from_pretrained(base)
    expected = logits(trainer.model, processor)
    plain = AutoModelForImageTextToText.from_pretrained(base)
    assert torch.equal(logits(PeftModel.from_pretrained(plain, second.adapter), processor), expected)
    engine = TransformersEngine.from_pretrained(base, second.adapter, batch_size=1)
    assert torch.equal(logits(engine.policy.model, processor), expected)
    merged = export_merged(base, second.adapter, tmp_path / "merged").folder
    exported = load_file(merged / "model.safetensors")
    own = {n: v for n, v in load_file(second.adapter / WEIGHTS).items() if "projector" in n}
    assert len(own) == 4
    for name, value in own.items():
        ending = name.rpartition("multi_modal_projector")[2]
        assert torch.equal(exported[next(n for n in exported if n.endswith("multi_modal_projector" + ending))], value)


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=pytest.mark.long), "bfloat16"])
def test_a_killed_run_goes_on_to_the_weights_of_an_uninterrupted_one(
    job: TrainJob, base: Path, tmp_path: Path, dtype: str
) -> None:
    own = dataclasses.replace(job, recipe=recipe(dtype=dtype, dpo={"max_steps": 4, "save_steps": 1}))
    whole = train_adapter(dataclasses.replace(own, folder=tmp_path / "whole"))
    half = dataclasses.replace(own, folder=tmp_path / "half")
    child = multiprocessing.get_context("fork").Process(target=killed_at, args=(half, 2))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL and not (tmp_path / "half" / "adapter").exists()
    assert (train_adapter(half).adapter / WEIGHTS).read_bytes() == (whole.adapter / WEIGHTS).read_bytes()


def test_steps_below_the_digits_of_bfloat16_are_kept_in_both_rounds(job: TrainJob, base: Path, tmp_path: Path) -> None:
    own = recipe(projector_lr=2e-5, dtype="bfloat16", dpo={"max_steps": 2})
    first = train_adapter(dataclasses.replace(job, recipe=own, folder=tmp_path / "one"))
    second, trainer = watched(
        dataclasses.replace(job, recipe=own, folder=tmp_path / "two", round=2, parent=first.adapter)
    )
    before, after = (load_file(outcome.adapter / WEIGHTS) for outcome in (first, second))
    for name in (name for name in before if "projector" in name):
        assert before[name].dtype == torch.float32
        assert 0 < (after[name] - before[name]).abs().max() < 5e-5  # rounded, most steps would be 0 or 1e-4
    for outcome in (first, second):
        assert outcome.facts["first_gap"] == 0.0
    dtypes = {p.dtype for n, p in trainer.model.named_parameters() if "modules_to_save" in n}
    assert dtypes == {torch.float32}


def test_a_parent_without_a_projector_is_refused(job: TrainJob, rounds: tuple[Any, Any], tmp_path: Path) -> None:
    parent = rounds[0][0].adapter
    again = dataclasses.replace(job, round=2, parent=parent, folder=tmp_path, recipe=make_recipe())
    with pytest.raises(
        ModelError, match=rf"trains {NAME} in addition to LoRA, the recipe asks for no module. Set train"
    ):
        train_adapter(again)


def test_kept_features_and_a_moving_projector_exclude_each_other(job: TrainJob, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"train.feature_cache_gb: train.projector_lr changes the features"):
        train_adapter(dataclasses.replace(job, recipe=recipe(feature_cache_gb=0.1), folder=tmp_path))


def test_a_served_policy_would_lack_the_projector() -> None:
    words = [
        "models.policy={kind: openai, endpoint: 'http://localhost:1', repo: some/policy}",
        "train.projector_lr=2e-5",
    ]
    with pytest.raises(RecipeError, match=r"train.projector_lr: servers load the LoRA weights .* Set it to 0"):
        check_combinations(load_recipe(overrides=words))


@pytest.mark.parametrize("kind", [kind for kind in OUTSIDE if kind != "Llama4"])  # 40 s to make
def test_the_projector_is_found_by_what_it_is(kind: str) -> None:
    model = of(kind, **(SIGLIP if kind == "AyaVision" else QWEN.get(kind, {})))
    if kind == "Fuyu":
        with pytest.raises(
            RecipeError, match=r"no projector can be told apart in a fuyu, it has no separate vision tower"
        ):
            projector_modules(model)
        return
    assert projector_modules(model) == FOUND.get(kind, (NAME,))
