"""QLoRA on a CPU: known first losses, adapters in float32 over rounds, a base quantised on disk, the merged export."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.lm.placing import load_options
from clincot.methods.clincot_config import Config
from clincot.objectives.sft import GOLD_FEATURES, gold_row
from clincot.recipe import Load, MethodChoice, Models, ModelSource, Recipe, Train
from clincot.records import Example
from clincot.rows import schema
from clincot.stages.train import dpo
from clincot.stages.train.dpo import TrainJob, TrainOutcome, train_adapter
from clincot.stages.train.export import export_merged
from clincot.stages.train.sft import SftJob, train_sft
from tests.objectives.rows import make_row, png, write_rows
from tests.tiny import tiny_policy

WEIGHTS = "adapter_model.safetensors"
DPO = {"learning_rate": 1e-5, "per_device_train_batch_size": 2, "num_train_epochs": 1, "beta": 0.5, "logging_steps": 1}
KINDS = ("nf4", "int8")


def recipe(quantization: Any, **dpo: Any) -> Recipe:
    source = ModelSource("clincot/tiny", load=Load(quantization=quantization))
    train = Train(dpo=DPO | dpo, lora={"r": 4, "lora_alpha": 8}, sft={"max_steps": 2, "learning_rate": 1e-3})
    method = MethodChoice("clincot", Config())
    return Recipe("clincot", method, "tests", "phantom", Models(source, source, (source, source)), train=train)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "part.parquet", [make_row(i) for i in range(4)])


@pytest.fixture(scope="module", params=KINDS)
def trained(
    request: pytest.FixtureRequest, base: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TrainJob, TrainOutcome]]:
    folder = tmp_path_factory.mktemp(request.param)
    job = TrainJob(recipe(request.param), 1, (rows,), base, "clincot/tiny", None, folder, stored_reference=True)
    yield job, train_adapter(job)


def test_the_first_loss_is_known_and_shared_rows_are_proven(trained: tuple[TrainJob, TrainOutcome]) -> None:
    job, outcome = trained
    facts = outcome.facts
    assert facts["quantization"] == job.recipe.models.policy.load.quantization
    assert facts["first_loss"] == pytest.approx(facts["known_first_loss"], abs=1e-6)
    assert (facts["rows"], facts["stored_references"], facts["first_gap"]) == ("shared", 0, 0.0)
    assert facts["rows_gradient_error"] < 1e-4


def test_steps_of_one_in_a_hundred_thousand_are_kept(trained: tuple[TrainJob, TrainOutcome]) -> None:
    """Two steps of 1e-5 at most on weights near 0.1, which bfloat16 would round away."""
    weights = load_file(trained[1].adapter / WEIGHTS)
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    first = next(weight for name, weight in weights.items() if "lora_A" in name)
    assert not torch.equal(first, first.bfloat16().float())
    assert not torch.equal((first * 2**8).round(), first * 2**8)


def test_a_later_round_starts_where_the_one_before_ended(
    trained: tuple[TrainJob, TrainOutcome], tmp_path: Path
) -> None:
    job, outcome = trained
    later = train_adapter(replace(job, round=2, parent=outcome.adapter, folder=tmp_path)).facts
    assert later["first_gap"] == 0.0
    assert later["first_loss"] == pytest.approx(later["known_first_loss"], abs=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_projector_is_trained_next_to_a_quantised_language_model(
    base: Path, rows: Path, tmp_path: Path, dtype: Any
) -> None:
    """Its copies are those of the base at the start, in policy and reference, and of the round before afterwards."""
    plain = recipe("nf4")
    with_rate = replace(plain, train=replace(plain.train, projector_lr=1e-3, dtype=dtype))
    job = TrainJob(with_rate, 1, (rows,), base, "clincot/tiny", None, tmp_path / "1", stored_reference=False)
    outcome = train_adapter(job)
    assert any("multi_modal_projector" in name for name in load_file(outcome.adapter / WEIGHTS))
    later = train_adapter(replace(job, round=2, parent=outcome.adapter, folder=tmp_path / "2"))
    for facts in (outcome.facts, later.facts):
        assert facts["first_gap"] == 0.0
        assert facts["first_loss"] == pytest.approx(facts["known_first_loss"], abs=1e-6)


def test_activations_are_recomputed_over_a_quantised_base(base: Path, rows: Path, tmp_path: Path) -> None:
    job = TrainJob(recipe("nf4", gradient_checkpointing=True), 1, (rows,), base, "clincot/tiny", None, tmp_path, False)
    outcome = train_adapter(job)
    assert outcome.facts["gradient_checkpointing"] is True
    assert any(
        weight.abs().sum() > 0 for name, weight in load_file(outcome.adapter / WEIGHTS).items() if "lora_B" in name
    )


def test_gold_answers_train_a_quantised_base(base: Path, tmp_path: Path) -> None:
    question, path = "Is there a nodule?", tmp_path / "gold.parquet"
    made = [Example(f"e{i}", f"i{i}", png(i), question, "Yes", "closed", "", "CXR", "Yes") for i in range(3)]
    schema.write_parquet([schema.table([gold_row(one)], GOLD_FEATURES) for one in made], path, GOLD_FEATURES)
    outcome = train_sft(SftJob(recipe("nf4"), path, base, "clincot/tiny", tmp_path / "work"))
    assert (outcome.facts["quantization"], outcome.facts["steps"]) == ("nf4", 2)


def test_the_engine_writes_with_the_adapter_on_the_same_quantised_base(trained: tuple[TrainJob, TrainOutcome]) -> None:
    job, outcome = trained
    load = job.recipe.models.policy.load
    engine = TransformersEngine.from_pretrained(job.base, outcome.adapter, batch_size=2, load=load)
    assert any("lora_A" in name for name, _ in engine.policy.model.named_parameters())


def test_the_export_is_merged_into_the_plain_base_and_the_difference_is_measured(
    trained: tuple[TrainJob, TrainOutcome], tmp_path: Path
) -> None:
    job, outcome = trained
    load = job.recipe.models.policy.load
    made = export_merged(job.base, outcome.adapter, tmp_path / "out", trained=load)
    assert made.difference < 1e-5
    assert made.from_quantised is not None and 1e-4 < made.from_quantised < 0.5
    assert "quantization_config" not in (tmp_path / "out" / "config.json").read_text()


@pytest.fixture(scope="module")
def quantised_base(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What others publish: a folder whose weights are in 4 bits."""
    folder = tmp_path_factory.mktemp("quantised") / "base"
    shutil.copytree(base, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    options = load_options(base, Load(quantization="nf4"), "policy: load")
    AutoModelForImageTextToText.from_pretrained(base, **options).save_pretrained(folder)
    return folder


def test_a_base_that_is_quantised_on_disk_is_trained_as_it_is_and_not_merged(
    quantised_base: Path, rows: Path, tmp_path: Path
) -> None:
    job = TrainJob(recipe("none"), 1, (rows,), quantised_base, "clincot/tiny", None, tmp_path / "work", True)
    outcome = train_adapter(job)
    assert outcome.facts["quantization"] == "bitsandbytes 4 bit"
    assert outcome.facts["first_gap"] == 0.0 and outcome.facts["stored_references"] == 0
    with pytest.raises(ModelError, match=r"quantised \(bitsandbytes 4 bit\), so an adapter cannot be added"):
        export_merged(quantised_base, outcome.adapter, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_it_is_not_quantised_again(quantised_base: Path) -> None:
    with pytest.raises(ModelError, match="quantised already"):
        TransformersEngine.from_pretrained(quantised_base, batch_size=2, load=Load(quantization="int8"))
    engine = TransformersEngine.from_pretrained(quantised_base, batch_size=2)
    assert engine.policy.model.is_loaded_in_4bit


def test_stored_references_are_not_read_for_it(trained: tuple[TrainJob, TrainOutcome]) -> None:
    assert not dpo.reads_reference(trained[0])
    plain = replace(trained[0].recipe, models=replace(trained[0].recipe.models, policy=ModelSource("clincot/tiny")))
    assert dpo.reads_reference(replace(trained[0], recipe=plain))
