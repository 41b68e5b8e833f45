"""Own data that have a test split alone are scored; what would answer with questions of train says so beforehand."""

from __future__ import annotations

import json
from pathlib import Path

from command import clincot

ROWS = [{"file_name": f"{i}.png", "question": f"What is {i}?", "answer": "a cyst", "split": "test"} for i in range(3)]


def test_answers_to_a_test_split_alone_are_scored_without_controls_of_train(tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "only"
    folder.mkdir()
    for i, row in enumerate(ROWS):
        Image.new("L", (16, 16), 40 * i).save(folder / row["file_name"])
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps({"example_id": f"only/{i}", "text": "a cyst"}) + "\n" for i in range(3)))
    words = ("evaluate", "--predictions", "answers.jsonl", "--benchmark", "./only")
    out, _ = clincot(*words, "--set", "evaluate.controls=[]", cwd=tmp_path)
    assert "100.0 [100.0, 100.0]" in out
    _, err = clincot(*words, cwd=tmp_path, code=2)
    assert err.startswith(
        "error: evaluate.controls: question_prior answers with questions of the train split. Leave it"
    )
    (folder / "metadata.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    answers.write_text(json.dumps({"example_id": "only/0", "text": "a cyst"}) + "\n")
    out, _ = clincot(*words, "--set", "evaluate.controls=[]", cwd=tmp_path)
    assert "100.0 [–]" in out  # one image has no interval
