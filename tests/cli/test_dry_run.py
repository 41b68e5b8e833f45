"""`--dry-run`: what a push would publish is listed and written, and the target Hub stays as it was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from command import SMALL, clincot
from huggingface_hub import ModelCard

from clincot.hub import connect


def heads(hub: Path) -> dict[str, str]:
    with connect(f"local:{hub}", main=False) as opened:
        return {
            f"{kind} {repo}": opened.resolve(kind, repo).sha
            for kind, repo in (("model", "demo/loop"), ("dataset", "demo/loop-preferences"))
        }


def test_a_dry_run_lists_and_writes_what_the_push_would_publish(
    finished_run: tuple[Path, str, str], small_hub: Path
) -> None:
    folder, _, _ = finished_run
    before = heads(small_hub)
    words = ("--name", "loop", "--hub", f"local:{small_hub}", *SMALL)
    _, err = clincot("train", "--round", "2", "--dry-run", "--push", *words, cwd=folder)
    assert f"would push model demo/loop (round-2) to local:{small_hub}, private:" in err
    assert re.search(r"^ +[\d,]{3,}  adapter_model.safetensors$", err, re.MULTILINE)
    assert "nothing was pushed" in err and "pushing model" not in err
    written = folder / "runs/loop/dry-run/demo/loop"
    names = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert names == {
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "round-2/curve.png",
        "round-2/training.csv",
        "rounds/round-2/lineage.json",
        "rounds/round-2/recipe.yaml",
    }
    assert ModelCard((written / "README.md").read_text()).data.eval_results  # the target's results are on it
    assert heads(small_hub) == before


@pytest.mark.long
def test_a_dry_run_of_results_shows_what_the_adapter_would_get(
    finished_run: tuple[Path, str, str], small_hub: Path
) -> None:
    folder, _, _ = finished_run
    before = heads(small_hub)
    _, err = clincot("evaluate", "--dry-run", "--name", "loop", "--hub", f"local:{small_hub}", *SMALL, cwd=folder)
    assert "would show them on model demo/loop too" in err
    assert re.search(r"^ +[\d,]+  .eval_results/phantom.yaml$", err, re.MULTILINE)
    entries = yaml.safe_load((folder / "runs/loop/dry-run/demo/loop/.eval_results/phantom.yaml").read_text())
    assert {entry["notes"].split(",")[0] for entry in entries} == {"round-1", "round-2"}
    assert heads(small_hub) == before


@pytest.mark.long
def test_rows_that_hold_their_images_need_no_restoring(finished_run: tuple[Path, str, str], small_hub: Path) -> None:
    folder, _, _ = finished_run
    words = ("--name", "loop", "--hub", f"local:{small_hub}")
    _, err = clincot("build-data", "--restore-images", "--round", "2", *words, cwd=folder, code=2)
    assert "holds its images" in err and "Traceback" not in err
