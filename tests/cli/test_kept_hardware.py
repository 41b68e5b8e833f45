"""A run keeps the hardware file that it was opened with; files of earlier versions name none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clincot.cli import kept_options
from clincot.cli.options import Options


def test_the_name_of_a_run_brings_its_hardware_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    opened = Options(setting="paper", hardware="24gb", name="mine")
    kept_options.write(folder, opened._to_keep())
    full, recipe = Options(name="mine").read()
    assert (full.setting, full.hardware, recipe.train.lora["r"]) == ("paper", "24gb", 64)
    assert Options(name="mine", hardware="80gb").read()[1].train.lora["r"] == 128  # for this command alone
    older = {name: value for name, value in json.loads((folder / "options.json").read_text()).items()}
    del older["hardware"]
    (folder / "options.json").write_text(json.dumps(older))
    assert Options(name="mine").read()[1].train.lora["r"] == 128


def test_a_run_with_other_hardware_is_not_the_kept_one() -> None:
    kept, other = Options(hardware="24gb")._to_keep(), Options(hardware="80gb")._to_keep()
    assert kept.extends(kept) and not other.extends(kept)
