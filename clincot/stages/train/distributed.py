"""Processes that train one job -> the same work folder, the same save to go on from, and one adapter written."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from clincot.stages.train.policy import save_adapter
from clincot.stages.train.saves import last_save
from clincot.stages.train.sharding import cut_at_layers, launch_kind, whole_weights

# How long a process waits for the others: rank 0 may have to download models and publish before it trains.
PATIENCE = timedelta(hours=1)


def processes() -> PartialState:
    """Return the launcher's processes, joined over gloo on a CPU; a single one without a launcher."""
    return PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)


def start_folder(folder: Path, key: str) -> None:
    """Keep the saves of the same job; saves of another recipe, rows, parent, launch or number of processes go."""
    key += launch_kind(os.environ)
    note = folder / "job.txt"
    if not note.is_file() or note.read_text(encoding="utf-8") != key:
        shutil.rmtree(folder / "trainer", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(key, encoding="utf-8")


def train_on(trainer: Any, folder: Path) -> None:
    """Train from the newest complete save of all processes, or from the start."""
    world = processes()
    with world.main_process_first():  # torn saves are removed once
        save = last_save(folder / "trainer", world.num_processes)
    cut_at_layers(trainer)
    trainer.train(resume_from_checkpoint=save)


def keep_adapter(trainer: Any, base_repo: str, folder: Path) -> Path:
    """Write the trained adapter by rank 0 and remove the cache of rows; return its folder to every process."""
    adapter = folder / "adapter"
    trainer.accelerator.wait_for_everyone()  # another process may still read the rows
    weights = whole_weights(trainer)
    if trainer.is_world_process_zero():
        save_adapter(trainer.accelerator.unwrap_model(trainer.model), base_repo, adapter, weights)
        shutil.rmtree(folder / "rows", ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    return adapter
