"""A model that `fully_shard` cuts over two processes (gloo) trains to the losses and weights of two whole copies (DDP).

accelerate and transformers cut and save; `fsdp_worker.py` says what it takes to let them do so on CPUs.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.objectives.launches import WEIGHTS, launch

CUT = "fsdp_worker.py"


def check_equal(cut: Path, whole: Path) -> None:
    """Check that all was cut in two halves, and that curve, first gradients and adapter agree to 1e-5."""
    said = json.loads((cut / "cut.json").read_text())
    assert said["whole"] == [] and 0 < said["frozen"] < said["all"]
    assert said["local"] == pytest.approx(said["elements"] / 2, rel=0.01)
    losses = [json.loads((folder / "losses.json").read_text())["losses"] for folder in (cut, whole)]
    assert len(losses[0]) == 4 and losses[0] == pytest.approx(losses[1], abs=1e-5)
    for name in ("gradients.safetensors", WEIGHTS):
        one, other = load_file(cut / name), load_file(whole / name)
        assert set(one) == set(other) and {n: w.shape for n, w in one.items()} == {n: w.shape for n, w in other.items()}
        assert max(float((one[n] - other[n]).abs().max()) for n in one) < 1e-5
        assert max(float(weight.abs().max()) for weight in one.values()) > 1e-3
    config = "adapter/adapter_config.json"
    assert (cut / config).read_bytes() == (whole / config).read_bytes()


@pytest.mark.long
def test_a_cut_model_that_was_killed_goes_on_to_the_weights_of_whole_copies(
    base: Path, rows: Path, two: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cut"
    launch(2, base, rows, folder, die_at=2, worker=CUT)
    assert not (folder / "adapter").exists() and list((folder / "trainer").glob("checkpoint-2"))
    launch(2, base, rows, folder, worker=CUT)
    check_equal(folder, two)


@pytest.mark.long
def test_the_next_round_of_a_cut_model_keeps_its_reference(base: Path, rows: Path, two: Path, tmp_path: Path) -> None:
    for worker in (CUT, "ddp_worker.py"):
        launch(2, base, rows, tmp_path / worker, worker=worker, parent=two / "adapter")
    check_equal(tmp_path / CUT, tmp_path / "ddp_worker.py")
