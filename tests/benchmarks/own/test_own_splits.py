"""Made splits: the same whenever they are made, and neither a patient nor an image is in two of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_folders import row, write

from clincot.benchmarks import load
from clincot.benchmarks.own import OwnData
from clincot.benchmarks.own.reading import Contents
from clincot.benchmarks.own.splits import groups_of, made_split
from clincot.errors import DataError


def contents(folder: Path) -> Contents:
    benchmark = load(str(folder))
    assert isinstance(benchmark, OwnData)
    return benchmark.contents(folder)


def split_of(made: Contents, column: str = "image_id") -> dict[str, set[str]]:
    return {split: {getattr(e, column) for e in examples} for split, examples in made.examples.items()}


def test_a_split_is_the_share_of_a_hash() -> None:
    """By hand: sha256 of `[0, "p1"]` begins with these digits."""
    import hashlib
    import json

    share = int(hashlib.sha256(json.dumps([0, "p1"]).encode()).hexdigest()[:13], 16) / 16**13
    assert made_split("p1", seed=0, test=share + 1e-9, validation=0) == "test"
    assert made_split("p1", seed=0, test=share - 1e-9, validation=0) == "train"
    assert made_split("p1", seed=0, test=share - 1e-9, validation=0.1) == "validation"
    found = [made_split(str(i), seed=0, test=0.2, validation=0.1) for i in range(2000)]
    assert 340 < found.count("test") < 460 and 150 < found.count("validation") < 250


def test_rows_of_one_image_stay_together_also_when_rows_are_added(tmp_path: Path) -> None:
    rows = [row(i % 30, question=f"Which {i}?") for i in range(90)]
    folder = write(tmp_path / "a", rows, declared="test: 0.3\nvalidation: 0.2\nseed: 3\n")
    before = split_of(contents(folder))
    assert all(before.values()) and not set.intersection(*before.values())
    assert sum(len(images) for images in before.values()) == 30
    (folder / "metadata.jsonl").open("a").write('{"file_name": "3.png", "question": "New?", "answer": "x"}\n')
    after = split_of(contents(folder))
    assert after == before and contents(folder).rows == 91


def test_all_images_of_a_patient_are_in_one_split(tmp_path: Path) -> None:
    rows = [row(i, patient=f"p{i % 10}") for i in range(40)]
    made = contents(write(tmp_path / "a", rows, declared="test: 0.4\n"))
    patients = [{made.patients[e.id] for e in examples} for examples in made.examples.values()]
    assert all(patients) and not set.intersection(*patients) and sum(map(len, patients)) == 10


def test_an_image_of_two_patients_is_refused_by_row(tmp_path: Path) -> None:
    rows = [row(1, patient="p1"), row(2, patient="p2"), row(1, patient="p2")]
    with pytest.raises(
        DataError, match="metadata.jsonl row 3: its image is that of metadata.jsonl row 1, of another pa"
    ):
        contents(write(tmp_path / "a", rows))


def test_rows_that_share_an_image_are_one_group_also_by_way_of_others() -> None:
    """The second and third row share no image with each other."""
    images = [("a", "b"), ("b", "c"), ("c", "d"), ("e",)]
    one, two, three, four = groups_of(images, [""] * 4, [""] * 4)
    assert one == two == three != four
    assert groups_of([("a",), ("a",)], ["p1", ""], ["", ""]) == ["p1", "p1"]
