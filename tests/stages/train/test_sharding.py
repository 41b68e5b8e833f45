"""Variables of `accelerate launch` -> what is trained, what is refused before a model loads, and where it is cut."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from clincot.errors import RecipeError
from clincot.objectives.margin_dpo import MarginDPOTrainer
from clincot.stages.train.distributed import start_folder
from clincot.stages.train.sharding import check_launch, cut_at_layers

FSDP = {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_CPU_RAM_EFFICIENT_LOADING": "false"}
ZERO = {"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3"}


@pytest.mark.parametrize(
    ("environment", "cache", "said"),
    [
        (FSDP | {"FSDP_VERSION": "1"}, 0.0, "fsdp_version 1 is not supported. Set it to 2"),
        ({"ACCELERATE_USE_FSDP": "true"}, 0.0, "fsdp_version 1 is not supported"),
        (FSDP | {"FSDP_CPU_RAM_EFFICIENT_LOADING": "True"}, 0.0, "Set it to false, as in recipes/accelerate/fsdp.yaml"),
        (FSDP, 0.5, r"train.feature_cache_gb: .* Set it to 0"),
        (ZERO, 0.0, "zero_stage 3 cuts the policy"),
    ],
)
def test_a_launch_that_cannot_be_trained_is_refused(environment: dict[str, str], cache: float, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        check_launch(environment, cache)


def test_other_launches_pass() -> None:
    check_launch({}, 0.5)
    check_launch(FSDP)
    check_launch(FSDP | {"ACCELERATE_USE_FSDP": "false"}, 0.5)
    check_launch(ZERO | {"ACCELERATE_DEEPSPEED_ZERO_STAGE": "2"}, 0.5)


def test_saves_of_whole_copies_are_dropped_when_the_model_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = tmp_path / "trainer" / "checkpoint-1"
    start_folder(tmp_path, "job")
    save.mkdir(parents=True)
    start_folder(tmp_path, "job")
    assert save.exists()
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    start_folder(tmp_path, "job")
    assert not save.exists()


class Layer(nn.Linear):
    """A layer of the family that the model has; `Absent` is one that it lacks."""


def trainer_of(model: nn.Module, *, fsdp: bool, named: list[str] | None = None) -> SimpleNamespace:
    plugin = SimpleNamespace(transformer_cls_names_to_wrap=named)
    accelerator = SimpleNamespace(state=SimpleNamespace(fsdp_plugin=plugin))
    return SimpleNamespace(
        model=model,
        accelerator=accelerator,
        is_fsdp_enabled=fsdp,
        features="kept",
        is_world_process_zero=lambda: True,
    )


def test_the_layers_that_the_model_has_are_cut_and_names_of_the_launch_stay() -> None:
    model = nn.Sequential(Layer(2, 2), nn.Linear(2, 2))
    model._no_split_modules = {"Layer", "Absent"}
    trainer = trainer_of(model, fsdp=True)
    cut_at_layers(trainer)
    assert trainer.accelerator.state.fsdp_plugin.transformer_cls_names_to_wrap == ["Layer"] and not trainer.features
    trainer = trainer_of(model, fsdp=True, named=["Linear"])
    cut_at_layers(trainer)
    assert trainer.accelerator.state.fsdp_plugin.transformer_cls_names_to_wrap == ["Linear"]


def test_whole_copies_instead_of_a_cut_model_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = trainer_of(nn.Linear(2, 2), fsdp=False)
    cut_at_layers(trainer)
    assert trainer.features == "kept" and capsys.readouterr().err == ""
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    cut_at_layers(trainer)
    assert "here each process trains a whole copy (DDP)" in capsys.readouterr().err


def test_batches_go_to_the_cpu_until_the_model_is_cut() -> None:
    trainer = object.__new__(MarginDPOTrainer)
    trainer.model = SimpleNamespace(device=torch.device("cpu"))
    trainer.args = SimpleNamespace(device=torch.device("meta"))
    trainer.is_deepspeed_enabled = False
    batch = {"row_ids": ["a"], "margin": torch.zeros(1)}
    for waits, device in ((True, "cpu"), (False, "meta")):
        trainer.is_fsdp_enabled = waits
        assert trainer._prepare_inputs(batch)["margin"].device.type == device
