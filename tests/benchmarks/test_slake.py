"""SLAKE: real questions with drawn images in a zip, laid out as the authors' repository."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from stand_ins import slake_stand_in

from clincot.benchmarks import load
from clincot.errors import DataError
from clincot.images import decode
from clincot.regions.annotated import Annotated
from clincot.regions.base import Subject


def row(qid: int, image: str, language: str = "en", **other: Any) -> dict[str, Any]:
    known = {
        "question": "Is it?",
        "answer": "Yes",
        "modality": "X-Ray",
        "answer_type": "CLOSED",
        "content_type": "Organ",
    }
    return {"qid": qid, "img_name": image, "q_lang": language, **known, **other}


def draw(folder: Path, names: list[str], prefix: str = "imgs/") -> None:
    """Write imgs.zip with a stand-in image per name, all different."""
    with zipfile.ZipFile(folder / "imgs.zip", "w") as archive:
        for i, name in enumerate(names):
            buffer = io.BytesIO()
            Image.new("L", (16, 16 + i % 7), i % 256).resize((16 + i // 256, 16)).save(buffer, "PNG")
            archive.writestr(prefix + name, buffer.getvalue() + i.to_bytes(2, "big"))


@pytest.mark.parametrize("prefix", ["imgs/", ""])
def test_one_language_is_read_from_the_zip_with_or_without_prefix(tmp_path: Path, prefix: str) -> None:
    rows = [row(1, "xmlab1/source.jpg"), row(2, "xmlab2/source.jpg", "zh"), row(3, "xmlab1/source.jpg", answer="Lung")]
    (tmp_path / "test.json").write_text(json.dumps(rows))
    draw(tmp_path, ["xmlab1/source.jpg", "xmlab2/source.jpg"], prefix)
    examples = load("slake").examples(tmp_path, "test")
    assert [(e.id, e.answer, e.modality) for e in examples] == [
        ("slake/1", "Yes", "chest x-ray"),
        ("slake/3", "Lung", "chest x-ray"),
    ]
    assert examples[0].image is examples[1].image
    assert [e.id for e in load("slake-zh").examples(tmp_path, "test")] == ["slake-zh/2"]
    assert not list(tmp_path.rglob("*.jpg"))  # nothing is unpacked


def test_the_older_name_of_the_validation_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "validate.json").write_text(json.dumps([row(1, "a.jpg")]))
    draw(tmp_path, ["a.jpg"])
    assert len(load("slake").examples(tmp_path, "validation")) == 1


def _lose_column(folder: Path) -> None:
    (folder / "test.json").write_text(json.dumps([{"qid": 1}]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "imgs.zip").unlink(), "no imgs.zip"),
        (lambda folder: (folder / "imgs.zip").write_bytes(b"PK"), "not a readable zip"),
        (lambda folder: draw(folder, ["other.jpg"]), "has no image a.jpg"),
        (lambda folder: (folder / "test.json").write_text("[{"), "is not JSON"),
        (_lose_column, "lacks the column img_name"),
    ],
)
def test_a_damaged_snapshot_is_refused_by_name(tmp_path: Path, damage: Callable[[Path], Any], message: str) -> None:
    (tmp_path / "test.json").write_text(json.dumps([row(1, "a.jpg")]))
    draw(tmp_path, ["a.jpg"])
    damage(tmp_path)
    with pytest.raises(DataError, match=message):
        load("slake").examples(tmp_path, "test")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(1, "a.jpg", answer="")], "slake/1: its answer is empty"),
        ([row(1, "a.jpg", answer=4)], "slake/1: its answer is 4, no text"),
        ([row(1, "a.jpg", answer=float("nan"))], "its answer is nan, no text"),
        ([row(1, "a.jpg", question=None)], "its question is None, no text"),
        ([row(1, "a.jpg", answer_type="BOTH")], "its answer_type is 'BOTH'"),
        ([row(1, "a.jpg"), row(1, "a.jpg")], "the id 'slake/1' occurs twice in test"),
        ([row(1, "a.jpg", "zh")], "its split test is empty"),
        ([], "its split test is empty"),
        ({"a": 1}, "is no list of questions"),
        (["a"], "is no list of questions"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused_by_name(tmp_path: Path, rows: Any, message: str) -> None:
    (tmp_path / "test.json").write_text(json.dumps(rows))
    draw(tmp_path, ["a.jpg"])
    with pytest.raises(DataError, match=message):
        load("slake").examples(tmp_path, "test")


def test_the_known_question_without_an_answer_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text(json.dumps([row(1, "a.jpg"), row(1622, "a.jpg", answer="")]))
    draw(tmp_path, ["a.jpg"])
    assert [e.id for e in load("slake").examples(tmp_path, "train")] == ["slake/1"]


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test.json").write_text(json.dumps([row(1, "a.jpg")]))
    draw(tmp_path, ["a.jpg"])
    data = bytearray((tmp_path / "imgs.zip").read_bytes())
    data[60:80] = bytes(20)
    (tmp_path / "imgs.zip").write_bytes(data)
    with pytest.raises(DataError, match="not a readable zip"):
        load("slake").examples(tmp_path, "test")


@pytest.fixture(scope="module")
def whole(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slake")
    slake_stand_in(shared_data, folder)
    return folder


def test_the_real_questions_give_the_published_counts(whole: Path) -> None:
    splits = {split: load("slake").examples(whole, split) for split in ("train", "validation", "test")}
    # qid 1622 has no answer: 4,919 - 1.
    assert {split: len(examples) for split, examples in splits.items()} == {
        "train": 4918,
        "validation": 1053,
        "test": 1061,
    }
    assert "slake/1622" not in {e.id for e in splits["train"]}
    assert Counter(e.answer_type for e in splits["test"]) == {"open": 645, "closed": 416}
    assert Counter(e.modality for e in splits["test"]) == {"ct": 472, "chest x-ray": 361, "mri": 228}
    images = [{e.image_id for e in examples} for examples in splits.values()]
    assert [len(some) for some in images] == [450, 96, 96]
    assert not (images[0] & images[1] or images[0] & images[2] or images[1] & images[2])


def test_the_languages_share_images_across_their_splits(whole: Path) -> None:
    chinese = {split: load("slake-zh").examples(whole, split) for split in ("train", "test")}
    assert {split: len(examples) for split, examples in chinese.items()} == {"train": 4916, "test": 1033}
    tested = {e.image_id for e in load("slake").examples(whole, "test")}
    assert len(tested & {e.image_id for e in chinese["train"]}) == 72


def test_organs_have_boxes_and_masks_and_the_proposer_of_the_truth_finds_them(whole: Path) -> None:
    example = next(e for e in load("slake").examples(whole, "test") if "liver" in e.question.lower())
    liver, lung = example.true_regions
    assert (liver.finding, lung.finding) == ("Liver", "Left Lung")
    assert liver.box.right - liver.box.left == 120
    assert lung.box.right - lung.box.left == 90  # no box is given for it: that of its pixels
    subject = Subject(example.image_id, decode(example.encoded()), example.true_regions)
    maps = {m.hypothesis: m for m in Annotated("").heat_maps([subject], [("liver", "lung", "heart")])[0]}
    assert [maps[name].confidence for name in ("liver", "lung", "heart")] == [1.0, 1.0, 0.0]
    y, x = np.argwhere(maps["liver"].values > 0).mean(axis=0)
    assert abs(x - (liver.box.left + liver.box.right) / 2) < 2
    assert abs(y - (liver.box.upper + liver.box.lower) / 2) < 2
