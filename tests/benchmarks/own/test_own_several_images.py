"""Own data with several images a row: which one is primary, what shares a split and a round, and rows that lack one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from own_folders import row, write

from clincot.benchmarks import load
from clincot.benchmarks.own import OwnData
from clincot.benchmarks.partition import part_of_round
from clincot.errors import DataError
from clincot.images import decode
from clincot.records import Example
from clincot.runs.data_check.check import check_data
from clincot.runs.data_check.held import Held, read_held

LOOSE = "most_broken: 0.9\n"


def shade(example: Example, number: int) -> int:
    """The grey of an image: own_folders gives each name another one, in alphabetical order."""
    value = decode(example.encoded(number)).getpixel((0, 0))
    assert isinstance(value, tuple)
    return int(value[0])


def read(folder: Path) -> tuple[list[Example], OwnData]:
    benchmark = load(str(folder))
    assert isinstance(benchmark, OwnData)
    return [one for some in benchmark.contents(folder).examples.values() for one in some], benchmark


def study(number: int, **more: Any) -> dict[str, Any]:
    names = [f"{number}-{view}.png" for view in ("a", "b", "c")]
    return {"images": names, "question": f"Which {number}?", "answer": "a cyst", **more}


def held(folder: Path) -> Held:
    return read_held(str(folder), "local:nowhere", "", lambda said: None)


@pytest.mark.parametrize(
    ("declared", "order"), [("", [0, 1, 2]), ("primary: 2\n", [1, 0, 2]), ("primary: 3\n", [2, 0, 1])]
)
def test_all_images_of_a_row_are_kept_the_primary_one_first(tmp_path: Path, declared: str, order: list[int]) -> None:
    (example,), benchmark = read(write(tmp_path / "d", [study(0)], declared=declared))
    assert [shade(example, number) for number in range(3)] == order
    assert example.image_id == example.image_ids[0] and len(set(example.image_ids)) == 3
    said = "\n".join(benchmark.shown(tmp_path / "d"))
    assert "test 1 questions on 3 images" in said or "train 1 questions on 3 images" in said
    assert f"methods without regions show all, regions are looked for in image {order[0] + 1}" in said


@pytest.mark.parametrize(
    ("declared", "order"), [("", [0, 1]), ("primary: lateral\n", [1, 0]), ("primary: 2\n", [1, 0])]
)
def test_of_several_columns_the_first_is_primary_or_the_declared_one(
    tmp_path: Path, declared: str, order: list[int]
) -> None:
    rows = [{"frontal": "0-a.png", "lateral": "0-b.png", "question": "?", "answer": "x"}]
    found, benchmark = read(write(tmp_path / "d", rows, declared=f"image: [frontal, lateral]\n{declared}"))
    assert [shade(found[0], number) for number in (0, 1)] == order
    assert "images: methods without regions show all" in "\n".join(benchmark.shown(tmp_path / "d"))


def test_columns_of_several_file_names_are_found_as_datasets_names_them(tmp_path: Path) -> None:
    rows = [{"frontal_file_name": "0.png", "lateral_file_name": "1.png", "question": "?", "answer": "x"}]
    (example,), benchmark = read(write(tmp_path / "d", rows))
    assert [shade(example, number) for number in (0, 1)] == [0, 1]
    shown = "\n".join(benchmark.shown(tmp_path / "d"))
    assert "image = frontal_file_name+lateral_file_name (guessed)" in shown
    assert "regions are looked for in the image in frontal_file_name" in shown


@pytest.mark.parametrize(
    ("primary", "said"),
    [
        ("0", "primary: 0: images of a row are counted from 1"),
        ("-1", "primary: -1: images of a row are counted from 1"),
        ("laterl", r"no column of images is called 'laterl'. Did you mean 'lateral'\?"),
    ],
)
def test_a_primary_one_that_is_neither_column_nor_number_is_refused(tmp_path: Path, primary: str, said: str) -> None:
    rows = [{"frontal": "0.png", "lateral": "1.png", "question": "?", "answer": "x"}]
    folder = write(tmp_path / "d", rows, declared=f"image: [frontal, lateral]\nprimary: {primary}\n")
    with pytest.raises(DataError, match=said):
        read(folder)


def test_rows_without_their_primary_image_or_with_one_that_is_absent_are_left_out_and_named(tmp_path: Path) -> None:
    rows = [
        {"frontal": "0.png", "lateral": "1.png", "question": "Both?", "answer": "x"},
        {"frontal": "2.png", "lateral": "", "question": "One?", "answer": "x"},
        {"frontal": None, "lateral": "3.png", "question": "No frontal?", "answer": "x"},
        {"frontal": "4.png", "lateral": "5.png", "question": "Gone?", "answer": "x"},
    ]
    folder = write(tmp_path / "d", rows, declared=f"image: [frontal, lateral]\n{LOOSE}")
    (folder / "5.png").unlink()
    found, benchmark = read(folder)
    assert {example.question: len(example.image_ids) for example in found} == {"Both?": 2, "One?": 1}
    broken = [(one.where, one.why) for one in benchmark.contents(folder).broken]
    assert broken == [
        ("metadata.jsonl row 3", "it has no image in frontal, the primary one"),
        ("metadata.jsonl row 4", "its image '5.png' is not there"),
    ]


def test_a_row_with_fewer_images_than_the_number_of_the_primary_one_is_left_out(tmp_path: Path) -> None:
    rows = [study(0), study(1, images=["1-a.png"])]
    _, benchmark = read(write(tmp_path / "d", rows, declared=f"primary: 3\n{LOOSE}"))
    (broken,) = benchmark.contents(tmp_path / "d").broken
    assert broken.why == "it has one image, and the primary one is number 3"


def test_rows_that_share_any_image_are_in_one_split_and_in_one_round(tmp_path: Path) -> None:
    rows = [study(i, images=[f"{i}.png", f"{100 + i // 2}.png"]) for i in range(40)]  # two rows share a second image
    folder = write(tmp_path / "d", rows, declared="test: 0.5\n")
    found, benchmark = read(folder)
    pairs = [{f"d/{i}", f"d/{i + 1}"} for i in range(0, 40, 2)]
    parts = [{e.id for e in some} for some in benchmark.contents(folder).examples.values()]
    parts += [{e.id for e in part_of_round(found, seed=0, rounds=3, round_=r)} for r in (1, 2, 3)]
    assert len(parts) == 5 and all(len(two & part) in (0, 2) for part in parts for two in pairs)
    assert all(parts) and sum(map(len, parts[2:])) == 40


def test_the_check_looks_at_every_image_of_a_row(tmp_path: Path) -> None:
    rows = [row(0, split="train", file_name=["0.png", "1.png"]), row(2, split="test", file_name=["2.png", "3.png"])]
    folder = write(tmp_path / "d", rows)
    (folder / "3.png").write_bytes((folder / "1.png").read_bytes() + b"\0")  # equal pixels, another file
    checked = check_data(held(folder))
    (crossing,) = (finding for finding in checked.findings if "two splits by their pixels" in finding.what)
    assert (
        crossing.fault
        and "test: metadata.jsonl row 2, image 2 = train: metadata.jsonl row 1, image 2" in crossing.cases
    )
    assert checked.splits["train"].images == checked.splits["test"].images == 2
    damaged = write(tmp_path / "e", rows)
    (damaged / "3.png").write_bytes(b"\x89PNG nothing")
    findings = check_data(held(damaged)).findings
    (unread,) = (finding for finding in findings if "cannot be read" in finding.what)
    assert unread.fault and unread.cases == (
        "metadata.jsonl row 2, image 2: cannot be read as an image (no known format). Replace or remove it.",
    )
