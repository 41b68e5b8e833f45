"""`clincot train` under torchrun: rank 0 prepares, commits and talks; the files for accelerate can be read."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env
from command import SMALL, clincot
from safetensors.torch import load_file

from clincot.hub import connect
from clincot.recipe import recipes_folder
from clincot.runs.releases import read_lineage
from clincot.stages.train.sharding import check_launch


@pytest.mark.parametrize(("name", "kind"), [("ddp", "MULTI_GPU"), ("fsdp", "FSDP"), ("deepspeed", "DEEPSPEED")])
def test_the_launch_files_are_what_accelerate_reads(name: str, kind: str) -> None:
    path = recipes_folder() / "accelerate" / f"{name}.yaml"
    read = load_config_from_file(str(path))
    assert read.distributed_type == kind and read.num_processes == 2 and read.mixed_precision == "bf16"
    assert bool(read.fsdp_config) == (name == "fsdp") and bool(read.deepspeed_config) == (name == "deepspeed")
    command = next(line for line in path.read_text().splitlines() if line.startswith("# accelerate launch"))
    launched = _validate_launch_command(launch_command_parser().parse_args(shlex.split(command)[3:]))[0]
    assert (launched.use_fsdp, launched.use_deepspeed) == (name == "fsdp", name == "deepspeed")
    assert launched.module and [launched.training_script, *launched.training_script_args] == ["clincot", "train"]
    if name == "fsdp":
        check_launch(prepare_multi_gpu_env(launched))


def torchrun(*words: str, cwd: Path) -> str:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "clincot"]
    done = subprocess.run(
        [sys.executable, *launcher, *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr


@pytest.mark.long
def test_two_processes_train_one_adapter_close_to_that_of_one(small_hub: Path, tmp_path: Path) -> None:
    words = (
        "--name",
        "both",
        "--hub",
        f"local:{small_hub}",
        *SMALL,
        "--set",
        "train.nll_weight=0",
        "--set=train.dpo.max_steps=2",  # whole batches: two processes repeat pairs to fill the last one of an epoch
    )
    clincot("build-data", *words, "--push", cwd=tmp_path)
    for batch, folder in ((4, tmp_path / "alone"), (2, tmp_path)):
        folder.mkdir(exist_ok=True)
        size = f"--set=train.dpo.per_device_train_batch_size={batch}"
        if batch == 4:
            clincot("train", *words, size, cwd=folder)
        else:
            said = torchrun("train", *words, size, cwd=folder)
            assert said.count("model demo/both (round-1) made") == 1 and said.count("Next:") == 1
            said = torchrun("train", *words, size, cwd=folder)
            assert said.count("exists already") == 1
    weights = []
    for folder, processes in ((tmp_path / "alone", 1), (tmp_path, 2)):
        store = connect(f"local:{folder / 'runs/both/store'}", main=False)
        assert list(store.tags("model", "demo/both")) == ["round-1"]
        pin = store.resolve("model", "demo/both", "round-1")
        assert read_lineage(store, pin, 1).facts["processes"] == processes
        weights.append(load_file(store.snapshot(pin) / "adapter_model.safetensors"))
    # Adam divides by a gradient's size, so that rounding moves weights whose gradient is next to nothing.
    one, two = (torch.cat([w.flatten() for name, w in held.items() if "lora_B" in name]) for held in weights)
    assert one.abs().max() > 1e-4 and float((one - two).norm() / one.norm()) < 0.01
