"""Two processes (DDP over gloo): the losses and gradients of one, and a killed launch ends as an uninterrupted one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from clincot.stages.train.saves import last_save
from tests.objectives.launches import WEIGHTS, launch


@pytest.mark.long
def test_two_processes_have_the_losses_and_gradients_of_one(base: Path, rows: Path, two: Path, tmp_path: Path) -> None:
    launch(1, base, rows, tmp_path / "one")
    one_told, two_told = (json.loads((f / "losses.json").read_text()) for f in (tmp_path / "one", two))
    assert (one_told["processes"], two_told["processes"]) == (1, 2)
    assert len(two_told["losses"]) == 4
    assert two_told["losses"] == pytest.approx(one_told["losses"], abs=1e-5)
    one, both = (load_file(folder / "gradients.safetensors") for folder in (tmp_path / "one", two))
    assert set(one) == set(both) and max(float(g.abs().max()) for g in one.values()) > 1e-3
    assert max(float((one[name] - both[name]).abs().max()) for name in one) < 1e-5
    first, second = load_file(tmp_path / "one" / WEIGHTS), load_file(two / WEIGHTS)
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < 1e-3


@pytest.mark.long
def test_a_killed_launch_continues_to_the_weights_of_an_uninterrupted_one(
    base: Path, rows: Path, two: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    launch(2, base, rows, folder, die_at=2)
    assert not (folder / "adapter").exists() and list((folder / "trainer").glob("checkpoint-*"))
    launch(2, base, rows, folder)
    assert (folder / WEIGHTS).read_bytes() == (two / WEIGHTS).read_bytes()


def test_a_save_that_lacks_a_process_is_no_complete_save(tmp_path: Path) -> None:
    save = tmp_path / "checkpoint-2"
    save.mkdir()
    (save / "trainer_state.json").write_text("{}")
    torch.save({}, save / "rng_state_0.pth")
    assert last_save(tmp_path) == str(save)
    assert last_save(tmp_path, 2) is None and not save.exists()
