"""`clincot doctor` as a user runs it: on this machine, about another one, as JSON; it makes no file."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import paper_configs
import pytest
from command import clincot


def test_the_default_setting_fits_here_and_no_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)  # other tests of this process are connected to a Hub
    out, err = clincot("doctor", cwd=tmp_path)
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80 and not list(tmp_path.iterdir()) and err == ""
    assert f"torch {version('torch')}" in " ".join(lines) and sum(line.strip() == "fits" for line in lines) == 3
    assert "which the first command makes" in out and "free for runs" in out
    for stage in ("build-data", "train", "evaluate"):
        assert any(line.startswith(stage) for line in lines), stage


def test_another_machine_as_json_exits_1_where_a_stage_does_not_fit(tmp_path: Path) -> None:
    folders = paper_configs.paper_configs(tmp_path / "me")
    folders = {name: folder.relative_to(tmp_path) for name, folder in folders.items()}  # read here, not on a Hub
    overrides = [word for one in paper_configs.overrides(folders) for word in ("--set", one)]
    words = ("doctor", "--setting", "paper", *overrides, "--gpu-memory", "24", "--json")
    out, _ = clincot(*words, cwd=tmp_path, code=1)
    found = json.loads(out)
    assert found["packages"]["torch"] == version("torch") and found["machine"]["gpus"][0]["total"] == 24 * 2**30
    assert found["target"]["hub"] and found["disks"][0]["free"] > 0 and found["added"] == []
    train = found["stages"][1]
    assert (train["stage"], train["fits"], found["fits"]) == ("train", False, False) and train["advice"]
    parts = sum(part["bytes"] for part in train["parts"] if part["place"] == "gpu 0")
    assert parts == train["places"]["gpu 0"]["needs"] > train["places"]["gpu 0"]["there"] * 0.85


def test_bad_input_exits_2(tmp_path: Path) -> None:
    _, err = clincot("doctor", "--set", "build.batch_size=0", cwd=tmp_path, code=2)
    assert "build.batch_size" in err and "from 1" in err
