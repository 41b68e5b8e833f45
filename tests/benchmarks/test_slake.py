"""SLAKE: real questions with drawn images in a zip, laid out as the authors' repository."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clincot.benchmarks import load
from clincot.benchmarks.slake import Slake
from clincot.errors import DataError


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
    """Write imgs.zip with a stand-in picture per name, all different."""
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
    assert [e.id for e in Slake("zh").examples(tmp_path, "test")] == ["slake/2"]
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


def test_the_real_questions_give_the_known_counts(shared_data: Path, tmp_path: Path) -> None:
    names = set()
    for split, file in (("train", "train"), ("validation", "validate"), ("test", "test")):
        text = (shared_data / "slake" / f"{file}.json").read_text(encoding="utf-8")
        (tmp_path / f"{split}.json").write_text(text, encoding="utf-8")
        names |= {entry["img_name"] for entry in json.loads(text)}
    draw(tmp_path, sorted(names))
    splits = {split: load("slake").examples(tmp_path, split) for split in ("train", "validation", "test")}
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
