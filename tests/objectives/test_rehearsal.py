"""Settings that fail on this machine are one message before a model loads; a batch may be that of all processes."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from clincot.errors import RecipeError
from clincot.stages.train import arguments as _arguments
from clincot.stages.train.arguments import dpo_config, sft_config
from clincot.stages.train.rehearsal import check_batches, of_each_process
from tests.stages.train.test_train import make_recipe

CPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@pytest.mark.parametrize(
    ("given", "package", "word"),
    [
        ({"optim": "adamw_bnb_8bit"}, "bitsandbytes", "train.dpo.optim: adamw_bnb_8bit cannot be made"),
        ({"optim": "schedule_free_adamw"}, "schedulefree", "train.dpo.optim: schedule_free_adamw cannot be made"),
        ({"optim": "stable_adamw"}, "optimi", "train.dpo.optim: stable_adamw cannot be made"),
        ({"deepspeed": "zero3.json"}, "deepspeed", "train.dpo.deepspeed: needs the package deepspeed"),
        ({"deepspeed": {"zero_optimization": {"stage": 2}}}, "deepspeed", "needs the package deepspeed"),
        ({"use_liger_kernel": True}, "liger_kernel", "train.dpo.use_liger_kernel: needs the package liger_kernel"),
    ],
)
def test_a_package_that_is_not_here_is_named(given: dict, package: str, word: str, tmp_path) -> None:
    if find_spec(package):
        pytest.skip(f"{package} is installed")
    with pytest.raises(RecipeError, match=word):
        dpo_config(make_recipe(dpo=given), tmp_path)


@CPU
@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"dpo": {"fp16": True}, "dtype": "float32"}, "train.dpo.fp16: needs a GPU"),
        ({"dpo": {"activation_offloading": True}}, "train.dpo.activation_offloading: needs a GPU"),
        ({"dpo": {"tf32": True}}, "train.dpo: .*tf32"),
        ({"dpo": {"bf16": True}}, "train.dpo.bf16: is always False here: train.dtype"),
        ({"dpo": {"use_cpu": False}}, "train.dpo.use_cpu: is always True here"),
        ({"dpo": {"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"cycles": 2}}}, "train.dpo.lr_scheduler_type"),
        ({"dpo": {"lr_scheduler_type": "polynomial", "lr_scheduler_kwargs": {"lr_end": 1}}}, "lr_scheduler_type"),
    ],
)
def test_what_this_machine_cannot_do_is_one_message(changes: dict, word: str, tmp_path) -> None:
    with pytest.raises(RecipeError, match=word) as error:
        dpo_config(make_recipe(**changes), tmp_path)
    assert "\n" not in str(error.value)


def test_what_acts_is_handed_on(tmp_path) -> None:
    given = {"eval_strategy": False, "padding_free": False, "optim": "adafactor", "gradient_checkpointing": True}
    arguments = dpo_config(make_recipe(dpo=given), tmp_path)
    assert arguments.optim.value == "adafactor" and arguments.gradient_checkpointing
    assert sft_config(make_recipe(sft={"num_train_epochs": 7}), tmp_path).num_train_epochs == 7


def test_batches_that_would_all_be_dropped_are_refused(tmp_path) -> None:
    arguments = dpo_config(make_recipe(dpo={"dataloader_drop_last": True}), tmp_path)
    check_batches(arguments, 2, "train.dpo")
    with pytest.raises(RecipeError, match=r"dataloader_drop_last: a batch takes 2 and there are 1, so no step"):
        check_batches(arguments, 1, "train.dpo")


def test_a_global_batch_is_divided_among_the_processes(tmp_path, monkeypatch) -> None:
    assert [of_each_process(4, count, "train.dpo") for count in (1, 2, 4)] == [4, 2, 1]
    for size, count in ((4, 3), (2, 4), (6, 4)):
        with pytest.raises(RecipeError, match=rf"per_device_train_batch_size: {size} of .* among {count} processes"):
            of_each_process(size, count, "train.dpo")

    class Two:
        num_processes = 2

    monkeypatch.setattr(_arguments, "processes", Two)
    whole = {"per_device_train_batch_size": 4}
    assert dpo_config(make_recipe(dpo=whole), tmp_path).per_device_train_batch_size == 4
    assert dpo_config(make_recipe(dpo=whole, batch="global"), tmp_path).per_device_train_batch_size == 2
    assert sft_config(make_recipe(sft=whole, batch="global"), tmp_path).per_device_train_batch_size == 2
