"""The questions of a benchmark for other programs; answers come back by id or by the benchmark's own number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from clincot.benchmarks.vqa_rad import own_numbers
from clincot.errors import DataError
from clincot.images import encode_png
from clincot.records import Box, Example
from clincot.runs.evaluation.answer_file import read_lines
from clincot.runs.evaluation.foreign import _check_inside
from clincot.runs.evaluation.question_ids import Questions
from clincot.runs.evaluation.questions import question_lines, write_questions

PNG = encode_png(Image.new("RGB", (30, 20), "grey"))


def example(id: str, own: str = "", image_id: str = "i") -> Example:
    return Example(id, image_id, PNG, f"Is {id} there?", "no", "closed", "k", "ct", "no", own_id=own)


ASKED = (example("slake/11", "11"), example("slake/12", "12", "j"), example("slake/x", "12"), example("7", "3"))


def test_a_question_is_found_by_its_id_or_by_its_own_number_when_that_is_its_alone() -> None:
    questions = Questions.of(ASKED, "slake test")
    for name in ("slake/11", "11", 11, " 11 "):
        assert questions.find(name) is ASKED[0]
    assert questions.find("7") is ASKED[3] and questions.find(3) is ASKED[3]
    for name in (12, "12", "13", True, None, 11.0, [11]):
        assert questions.find(name) is None
    assert questions.form == "'slake/11' (or its own number, 11)"


def test_the_lines_hold_no_answer_and_the_folder_every_image_once(tmp_path: Path) -> None:
    path = write_questions(ASKED, tmp_path / "out")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines == [json.loads(line) for line in question_lines(ASKED)] and len(lines) == 4
    assert lines[0] == {
        "example_id": "slake/11",
        "own_id": "11",
        "question": "Is slake/11 there?",
        "answer_type": "closed",
        "image": "images/i.png",
    }
    assert sorted(file.name for file in (tmp_path / "out/images").iterdir()) == ["i.png", "j.png"]
    assert (tmp_path / "out/images/i.png").read_bytes() == PNG
    with pytest.raises(DataError, match="is not empty"):
        write_questions(ASKED, tmp_path / "out")


def test_a_box_beyond_its_image_is_refused_by_line() -> None:
    _check_inside("f, line 1", Box(0, 0, 30, 20), ASKED[0])
    _check_inside("f, line 1", None, ASKED[0])
    with pytest.raises(DataError, match=r"f, line 1: the box \[0, 0, 31, 20\] reaches beyond its image of 30 x 20"):
        _check_inside("f, line 1", Box(0, 0, 31, 20), ASKED[0])


def test_a_second_answer_is_found_before_the_benchmark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    rows = [
        {"example_id": 1, "text": "a"},
        {"example_id": 1, "text": "b", "policy": "x"},
        {"example_id": "1", "text": "c"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match=r"answers.jsonl, line 3: answers '1' a second time"):
        read_lines(path)


def test_vqa_rads_own_numbers_are_those_of_the_release(shared_data: Path) -> None:
    from clincot.benchmarks.vqa_rad_release import hub_splits, read_release

    splits = hub_splits(read_release(shared_data / "vqa_rad"))
    assert own_numbers() == {name: [row.number for row in rows] for name, rows in splits.items()}
    every = [number for numbers in own_numbers().values() for number in numbers]
    assert len(every) == len(set(every)) == 1793 + 451
