"""The formats of own data -> the same examples: imagefolder, CSV, LLaVA's conversations; splits that are given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from own_folders import png, row, write

from clincot.benchmarks import load
from clincot.benchmarks.own import OwnData
from clincot.errors import ClincotError, DataError, RecipeError
from clincot.images import content_id
from clincot.records import Example


def read(path: Path) -> dict[str, list[Example]]:
    benchmark = load(str(path))
    assert isinstance(benchmark, OwnData) and benchmark.folder is not None
    return benchmark.contents(benchmark.folder).examples


def every(path: Path) -> list[Example]:
    return [example for examples in read(path).values() for example in examples]


def test_a_folder_of_images_with_metadata_is_a_benchmark(tmp_path: Path) -> None:
    folder = write(tmp_path / "cells", [row(1, qid="q7"), row(2, answer="Yes"), row(2, question="What else?")])
    one, two, three = every(folder)
    assert (one.id, one.own_id, one.image_id) == ("cells/0", "q7", content_id(one.encoded()))
    assert [e.answer_type for e in (one, two, three)] == ["open", "closed", "open"]
    assert two.image is three.image and one.image_id != two.image_id
    assert one.image_label == "metadata.jsonl row 1"  # a file may be called after a patient


def test_csv_is_read_as_jsonl_is(tmp_path: Path) -> None:
    write(tmp_path / "a", [row(1), row(2)])
    (tmp_path / "a/metadata.jsonl").unlink()
    text = '\ufefffile_name,question,answer\n1.png,"What, here?",a cyst\n2.png,Is it?,no\n'
    (tmp_path / "a/metadata.csv").write_text(text, encoding="utf-8")
    assert [(e.question, e.answer) for e in every(tmp_path / "a")] == [("What, here?", "a cyst"), ("Is it?", "no")]


def conversation(*turns: str, image: object = "1.png") -> dict[str, object]:
    said = [{"from": ("human", "gpt")[i % 2], "value": text} for i, text in enumerate(turns)]
    return {"id": "c1", "image": image, "conversations": said}


def test_each_question_of_a_conversation_is_an_example(tmp_path: Path) -> None:
    rows = [conversation("<image>\nWhich organ?", "The liver.", "Is it large?", "no")]
    write(
        tmp_path / "a", [*rows, conversation("What?\n<image>", "A cyst.", image=["2.png", "1.png"])], table="train.json"
    )
    found = every(tmp_path / "a/train.json")
    assert [(e.question, e.answer, e.answer_type) for e in found] == [
        ("Which organ?", "The liver.", "open"),
        ("Is it large?", "no", "closed"),
        ("What?", "A cyst.", "open"),
    ]
    assert len({e.id for e in found}) == 3 and [e.own_id for e in found] == ["c1-1", "c1-2", "c1"]
    benchmark = load(str(tmp_path / "a"))
    assert isinstance(benchmark, OwnData)
    assert (
        "1 rows have several images: methods without regions show all, regions are looked for in image 1"
        in "\n".join(benchmark.shown(tmp_path / "a"))
    )


@pytest.mark.parametrize("turns", [("Which?",), ("Which?", "This.", "And?"), ()])
def test_a_conversation_without_an_answer_is_a_broken_row(tmp_path: Path, turns: tuple[str, ...]) -> None:
    write(tmp_path / "a", [conversation(*turns), *(conversation("Which?", "This.") for _ in range(9))], table="a.json")
    with pytest.raises(DataError, match=r"1 of 10 rows cannot be used.*\n  a.json row 1: its turns are not"):
        every(tmp_path / "a")


def test_splits_come_from_files_from_folders_and_from_a_column(tmp_path: Path) -> None:
    write(tmp_path / "files", [row(1)], table="train.jsonl")
    write(tmp_path / "files", [row(2)], table="my-test.jsonl")
    write(tmp_path / "folders/train", [row(1)])
    write(tmp_path / "folders/val", [row(2)])
    write(tmp_path / "column", [row(1, split="training"), row(2, split="dev"), row(3, split="Test")])
    (tmp_path / "column/metadata.jsonl").rename(tmp_path / "column/rows.jsonl")
    assert {k: len(v) for k, v in read(tmp_path / "files").items()} == {"train": 1, "test": 1}
    assert {k: len(v) for k, v in read(tmp_path / "folders").items()} == {"train": 1, "validation": 1}
    assert {k: len(v) for k, v in read(tmp_path / "column").items()} == {"train": 1, "validation": 1, "test": 1}
    assert {e.id for e in every(tmp_path / "files")} == {"files/0", "files/1"}
    with pytest.raises(DataError, match="has no split 'test' .it has train 1 questions.*validation 1"):
        load(str(tmp_path / "folders")).examples(tmp_path / "folders", "test")
    write(tmp_path / "odd", [row(1, split="holdout")])
    with pytest.raises(DataError, match="row 1: its split 'holdout' is no split. Write train, validation, test"):
        every(tmp_path / "odd")


def test_one_file_with_lists_by_split_is_read(tmp_path: Path) -> None:
    write(tmp_path, [row(1), row(2)])
    (tmp_path / "metadata.jsonl").unlink()
    (tmp_path / "annotation.json").write_text(json.dumps({"train": [row(1)], "val": [row(2)]}))
    assert {k: len(v) for k, v in read(tmp_path).items()} == {"train": 1, "validation": 1}


def test_declared_columns_are_read_and_shown_apart_from_guessed_ones(tmp_path: Path) -> None:
    declared = "question: Frage\nanswer: Antwort\nlanguages: de\nmodality: ct\nlicence: cc0-1.0\nprivacy: public\n"
    folder = write(
        tmp_path / "a", [{"img": "1.png", "Frage": "Was?", "Antwort": "Ja", "question": "?"}], declared=declared
    )
    (example,) = every(folder)
    assert (example.question, example.answer_type, example.modality) == ("Was?", "closed", "ct")
    benchmark = load(str(folder))
    assert isinstance(benchmark, OwnData) and benchmark.source.redistributable
    said = "\n".join(benchmark.shown(folder))
    assert (
        "image = img (guessed), question = Frage, answer = Antwort" in said
        and "ct, de; licence cc0-1.0; public" in said
    )


def test_rows_without_a_question_are_asked_the_declared_one(tmp_path: Path) -> None:
    declared = "ask: Describe the image.\nanswers: report\nanswer: findings\n"
    (example,) = every(write(tmp_path / "a", [{"image": "1.png", "findings": "Clear."}], declared=declared))
    assert (example.question, example.answer, example.answer_type) == ("Describe the image.", "Clear.", "report")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("question: Qestion\n", "question: there is no column 'Qestion'. Did you mean 'question'"),
        ("imge: file_name\n", "unknown key 'imge'. Did you mean 'image'"),
        ("privacy: publik\n", "privacy: 'publik' is not a choice. Did you mean 'public'"),
        ("test: 0.6\nvalidation: 0.4\n", "test and validation leave nothing to train on"),
        ("table: rows.csv\n", "table: there is no file rows.csv"),
        ("path: elsewhere\n", "path: elsewhere: there is no such folder"),
        ("repo: a/b\npath: c\n", "gives a path and a repo"),
        ("- 1\n", "expected a mapping"),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, declared: str, message: str) -> None:
    write(tmp_path, [row(1)], declared=declared)
    with pytest.raises((DataError, RecipeError), match=message):
        every(tmp_path)


def test_columns_that_cannot_be_guessed_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path, [{"file_name": "1.png", "Q": "What?", "answer": "x"}])
    with pytest.raises(
        DataError, match=r"no column is called like question \(it has file_name, Q, answer\).*`question: C"
    ):
        every(tmp_path)


def test_a_folder_without_rows_and_one_with_several_files_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(png(1))
    with pytest.raises(DataError, match="has no file of rows. Put a metadata.jsonl there"):
        every(tmp_path)
    write(tmp_path, [row(1)], table="a.jsonl")
    write(tmp_path, [row(1)], table="b.jsonl")
    with pytest.raises(DataError, match="has several files of rows .a.jsonl, b.jsonl.*table: rows.jsonl"):
        every(tmp_path)
    assert len(every(tmp_path / "b.jsonl")) == 1


def test_a_path_that_is_not_there_and_a_misspelt_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--benchmark .*absent: there is no such file or folder"):
        load(str(tmp_path / "absent"))
    with pytest.raises(ClincotError, match="Did you mean 'slake'"):
        load("slak")
