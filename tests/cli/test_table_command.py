"""`clincot table`: what is refused, the list, and rows that run to the end and are found again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import clincot
from rich.cells import cell_len

QUICK = (
    "--set=build.max_images=4",
    "--set=build.max_questions=3",
    "--set=evaluate.max_images=4",
    "--set=evaluate.max_new_tokens=24",
    "--set=train.dpo.num_train_epochs=1",
    "--set=train.sft.num_train_epochs=1",
    "--set=methods.clincot.candidates=3",
    "--set=methods.clincot.lookahead.samples=1",
    "--set=methods.clincot.min_gap=0.001",
)


def test_the_list_names_needs_and_what_is_there_and_runs_nothing(tmp_path: Path) -> None:
    out, _ = clincot("table", "1", "--list", "--start", "sft", "--rows", "dpo,sft-matched", cwd=tmp_path)
    assert max(map(cell_len, out.splitlines())) <= 80
    assert "editor: rules" in out and "clincot-sft-s0" in out
    listed = json.loads(clincot("table", "2", "--list", "--json", cwd=tmp_path)[0])
    needs = {one["result"]: one["needs"] for one in listed["results"]}
    assert [one["images"] for one in listed["results"][:2]] == [None, 64]
    assert needs["base-s0"] == [] and needs["clincot-base-s0"] == ["judges", "regions"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_rows_run_share_what_is_equal_and_are_found_again(small_hub: Path, tmp_path: Path) -> None:
    """Two rows share round 1, a third starts from the adapter of the row + SFT."""
    words = ("--hub", f"local:{small_hub}", *QUICK, "--set=rounds=1")
    rows = ("table", "1", "--rows", "base,clincot,clincot-shuffled,sft-matched", "--start", "base")
    out, err = clincot(*rows, *words, cwd=tmp_path, timeout=600)
    assert "clincot-shuffled-base-s0: round 1 has the pairs of clincot-base-s0" in err
    assert "+ ClinCoT (reconstruction)" in out and "token-matched SFT" in out
    folder = tmp_path / "runs/results/phantom-phantom"
    found = {path.stem: json.loads(path.read_text()) for path in folder.glob("*-s0.json")}
    assert set(found) == {"base-s0", "clincot-base-s0", "clincot-shuffled-base-s0", "sft-matched-base-s0"}
    facts = {name: one["facts"][one["last"]] for name, one in found.items()}
    pairs = facts["clincot-base-s0"]["pairs"]
    assert pairs == facts["clincot-shuffled-base-s0"]["pairs"] > 0 == facts["sft-matched-base-s0"]["pairs"]
    assert facts["clincot-base-s0"]["gold"] == ["read by judges"] and facts["clincot-base-s0"]["ratings"] > pairs
    # Their answers may be the same after two steps; their weights are not.
    trained = (
        f"runs/table-*/{name}-base-s0/round-1/train/adapter/*.safetensors" for name in ("clincot", "clincot-shuffled")
    )
    assert len({path.read_bytes() for pattern in trained for path in tmp_path.glob(pattern)}) == 2
    again, err = clincot(*rows, *words, cwd=tmp_path)
    assert again == out and "wrote" not in err
    stages = ("table", "1", "--rows", "sft,povid-stage-2", "--start", "sft", *words)
    out, err = clincot(*stages, cwd=tmp_path, timeout=600)
    assert "+ POVID-style, both stages" in out and "after SFT" in out
    second = folder / "povid-stage-2-sft-s0.json"
    facts = json.loads(second.read_text())["facts"]["round-1"]
    first = json.loads((folder / "povid-sft-s0.json").read_text())["facts"]["round-1"]
    assert facts["pairs"] == 2 * first["pairs"] and "by SFT" in facts["gold"]  # those of stage 1 count too
    # Results of what it starts from are there, as after a clone, and their runs are not.
    for runs in tmp_path.glob("runs/table-*"):
        shutil.rmtree(runs)
    made = second.read_text()
    second.unlink()
    clincot(*stages, cwd=tmp_path, timeout=600)
    assert json.loads(second.read_text())["sums"] == json.loads(made)["sums"]
    _, err = clincot(*rows, *words, "--set=train.dpo.beta=0.3", cwd=tmp_path, code=2)
    assert "was made with other settings" in err
