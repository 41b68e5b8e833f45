"""`clincot import-rows`, `train --rows` and `export-rows` as a user gives them, on the phantom's policy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import clincot

from tests.objectives.rows import png

QUICK = ("--set", "train.dpo.max_steps=1", "--set", "train.lora.r=4")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    rows = []
    for number in range(4):
        (tmp_path / f"images/{number}.png").write_bytes(png(number))
        turns = [{"role": "user", "content": "<image>Is there a nodule?"}, {"role": "assistant", "content": "Yes."}]
        row = {"messages": turns, "rejected_response": f"No, there are {number}.", "images": [f"{number}.png"]}
        rows.append(row | {"margin": 0.25 * number})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.mark.long
def test_rows_are_imported_and_trained_and_leave_again(folder: Path, small_hub: Path) -> None:
    where = ("--name", "mine", "--hub", f"local:{small_hub}")
    given = ("--format", "swift", "--images", "images", "--licence", "mit", "--margin", "column")
    _, err = clincot("train", "--rows", "rows.jsonl", *given, *where, *QUICK, cwd=folder)
    assert "4 rows in ms-swift's format: 4 pairs about 4 images" in err and "mine (round-1) made" in err
    assert "DPO can learn length" in err and "Next: clincot evaluate --name mine" in err
    kept = json.loads((folder / "runs/mine/options.json").read_text())
    assert kept["recipe"] == "rows" and "train.margin.kind=linear" in kept["set"]
    _, err = clincot("train", "--rows", "rows.jsonl", *given, "--name", "mine", cwd=folder)
    assert err.count("exists already") == 2
    out, err = clincot("export-rows", "1", "out", "--format", "llamafactory", "--name", "mine", cwd=folder)
    assert "wrote 4 rows and 4 images" in err and out.startswith("llamafactory-cli train --stage dpo")
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "README.md",
        "dataset_info.json",
        "images",
        "train.json",
    ]
    _, err = clincot("pair", "--name", "mine", cwd=folder, code=2)
    assert "its pairs were imported" in err and "Traceback" not in err
    _, err = clincot("import-rows", "rows.jsonl", "--format", "swift", "--name", "mine", cwd=folder, code=2)
    assert "4 of 4 rows are no pairs: 4 whose image is missing" in err


def test_a_format_of_ones_own_is_a_class_in_a_file(folder: Path) -> None:
    (folder / "mine.py").write_text(
        "from clincot.rows.formats.base import OtherPair\n"
        "class Mine:\n"
        "    name, title, needs, knows = 'mine', 'my format', (frozenset({'q', 'good', 'bad'}),), frozenset({'file'})\n"
        "    per_side, embeds, in_text, leaks = False, False, False, False\n"
        "    def read(self, row):\n"
        "        asked = ({'role': 'user', 'content': row['q']},)\n"
        "        return OtherPair(asked, (row['file'],), row['good'], row['bad'])\n"
    )
    (folder / "own.json").write_text(json.dumps([{"q": "Which?", "good": "Left", "bad": "Right", "file": "0.png"}]))
    out, err = clincot("import-rows", "own.json", "--format=./mine.py:Mine", "--images=images", "--json", cwd=folder)
    assert "1 rows in my format: 1 pairs about 1 images" in err
    assert json.loads(out)["imported"]["format"] == "mine.py:Mine" and json.loads(out)["pairs"] == 1
