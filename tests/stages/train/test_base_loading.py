"""How the base is loaded for training, and what then holds of references, memory and exports."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig

from clincot.errors import ModelError
from clincot.recipe import Load, Recipe, load_recipe
from clincot.stages.train import dpo
from clincot.stages.train.arguments import dtype_of
from clincot.stages.train.dpo import TrainJob
from clincot.stages.train.export import export_merged
from clincot.stages.train.policy import load_policy
from clincot.stages.train.qlora import facts_of
from tests.tiny import tiny_policy

CPU_ONLY = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU has another default")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy(tmp_path_factory.mktemp("policy") / "base")


def of(*overrides: str) -> Recipe:
    return load_recipe(overrides=[f"models.policy.load.{one}" if "." not in one else one for one in overrides])


@CPU_ONLY
@pytest.mark.parametrize(
    ("overrides", "dtype"),
    [
        ((), torch.float32),
        (("dtype=bfloat16",), torch.bfloat16),
        (("dtype=bfloat16", "train.dtype=float32"), torch.float32),
        (("dtype=float16",), torch.float32),  # a policy that writes in float16 is not trained in it
    ],
)
def test_training_runs_in_its_own_dtype_else_in_that_of_the_policy(
    overrides: tuple[str, ...], dtype: torch.dtype
) -> None:
    assert dtype_of(of(*overrides)) == dtype


@CPU_ONLY
@pytest.mark.parametrize(
    ("overrides", "read"),
    [
        ((), True),
        (("dtype=bfloat16",), True),  # written and trained in it
        (("dtype=bfloat16", "train.dtype=float32"), False),
        (("dtype=float16",), False),
        (("train.dtype=bfloat16",), False),
        (("quantization=nf4",), False),
    ],
)
def test_references_are_read_where_the_build_ran_as_training_does(
    base: Path, overrides: tuple[str, ...], read: bool
) -> None:
    recipe = replace(of(*overrides), train=replace(of(*overrides).train, conditioning="per_side"))
    assert dpo.reads_reference(TrainJob(recipe, 1, (), base, "a/b", None, base, stored_reference=True)) is read


def test_the_base_has_the_attention_of_its_load(base: Path) -> None:
    lora = LoraConfig(target_modules="all-linear")
    for load in (Load(), Load(attention="eager", device_map="cuda:7")):  # the launcher gives the device
        model, _ = load_policy(base, None, lora, torch.bfloat16, load)
        assert model.config._attn_implementation == ("sdpa" if load == Load() else "eager")
        assert model.dtype == torch.bfloat16
    assert facts_of(base, Load(attention="eager")) == {"attention": "eager"}
    assert facts_of(base, Load(device_map="cpu")) == {}


@pytest.mark.parametrize("stored", [{"quant_method": "gptq", "bits": 4}, {"load_in_4bit": True}])
def test_a_base_that_is_quantised_on_disk_is_not_merged(base: Path, tmp_path: Path, stored: dict[str, Any]) -> None:
    config = json.loads((base / "config.json").read_text()) | {"quantization_config": stored}
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"its weights are quantised \(.*\), so an adapter cannot be added.*as two"):
        export_merged(folder, tmp_path / "no-adapter", tmp_path / "out")
    assert not (tmp_path / "out").exists()
