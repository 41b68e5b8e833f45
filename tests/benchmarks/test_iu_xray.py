"""IU-Xray: rows of copies with other columns are matched to R2Gen's split; a part of a split is refused with counts."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from stand_ins import iu_xray_stand_in, small_radiograph, stamped, write_rows

from clincot.benchmarks import _r2gen, load
from clincot.benchmarks._iu_xray_copies import read_copy
from clincot.benchmarks._r2gen import Row, Study, match, text_hash
from clincot.benchmarks.iu_xray_release import studies_table
from clincot.errors import DataError

TEXTS = {"train": ["A.", "Same.", "Same."], "validation": ["B b.", "Same."], "test": ["C XXXX.", "D."]}
FEW = tuple(
    Study(f"CXR{100 * k + i}_IM-000{i}", split, text_hash(text))
    for k, (split, texts) in enumerate(TEXTS.items(), 1)
    for i, text in enumerate(texts)
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> tuple[Study, ...]:
    """A table of seven studies, three of which share a text."""
    monkeypatch.setattr(_r2gen, "studies", lambda: FEW)
    return FEW


def view(name: str) -> bytes:
    return stamped(small_radiograph(), name)


def rows_of(columns: Sequence[str], **by_study: Any) -> list[dict[str, Any]]:
    """Return a row per study with the text in columns[0]; `by_study` gives further columns from the study."""
    texts = [text for split in TEXTS.values() for text in split]
    return [
        {columns[0]: text} | {name: make(study) for name, make in by_study.items()}
        for study, text in zip(FEW, texts, strict=True)
    ]


def image(study: Study, number: int = 0) -> dict[str, Any]:
    return {"bytes": view(f"{study.id}/{number}"), "path": None}


LAYOUTS = {
    "uid and two views": rows_of(
        ["findings"],
        uid=lambda s: s.number,
        img_frontal=lambda s: view(f"{s.id}/0"),
        img_lateral=lambda s: view(f"{s.id}/1"),
    ),
    "base64 text": rows_of(
        ["findings"],
        uid=lambda s: str(s.number),
        img_frontal=lambda s: base64.b64encode(view(f"{s.id}/0")).decode(),
        img_lateral=lambda s: base64.b64encode(view(f"{s.id}/1")).decode(),
    ),
    "list of images": rows_of(["report"], id=lambda s: s.id, images=lambda s: [image(s), image(s, 1)]),
    "path in the image": rows_of(["text"], image=lambda s: image(s) | {"path": f"{s.id}/0.png"}),
    "file name": rows_of(["caption"], filename=lambda s: f"{s.id}-1001.png", image=image),
    "findings section": rows_of(["findings_section"], study_id=lambda s: f"CXR{s.number}", main_image=image),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_copies_are_read_by_their_declared_columns(few: tuple[Study, ...], tmp_path: Path, name: str) -> None:
    write_rows(tmp_path / "data/train-00000-of-00001.parquet", LAYOUTS[name][::-1])
    examples = load("iu-xray").examples(tmp_path, "test")
    assert [(e.id, e.reference) for e in examples] == [
        ("iu-xray/CXR300_IM-0000", "C XXXX."),
        ("iu-xray/CXR301_IM-0001", "D."),
    ]
    assert [e.encoded() for e in examples] == [view(f"{study.id}/0") for study in few if study.split == "test"]
    assert {(e.answer_type, e.kind, e.modality) for e in examples} == {("report", "report", "chest x-ray")}


def test_the_split_is_told_by_the_file_or_else_by_its_folder(few: tuple[Study, ...], tmp_path: Path) -> None:
    places = ("data/train-00000-of-00001", "test/0000", "default/val/0000", "valid-0", "test/train-0", "more/0000")
    for place in places:
        write_rows(tmp_path / "test" / f"{place}.parquet", LAYOUTS["list of images"][:1])
    read = read_copy(tmp_path / "test")
    told = {part.file.relative_to(tmp_path / "test"): read.rows[part.start].split for part in read.parts}
    wanted = ("train", "test", "validation", "validation", "train", "")
    assert told == {Path(f"{place}.parquet"): split for place, split in zip(places, wanted, strict=True)}


def test_a_study_without_an_image_is_named(few: tuple[Study, ...], tmp_path: Path) -> None:
    rows = [row | {"image": {"bytes": None, "path": None}} for row in LAYOUTS["path in the image"]]
    rows = [row | {"uid": study.number} for row, study in zip(rows, FEW, strict=True)]
    write_rows(tmp_path / "a.parquet", rows)
    with pytest.raises(DataError, match="CXR300_IM-0000 has no frontal image"):
        load("iu-xray").examples(tmp_path, "test")


@pytest.mark.parametrize(
    "columns",
    [
        {"img_frontal": lambda s: None, "img_lateral": lambda s: view(f"{s.id}/1")},
        {"images": lambda s: [{"bytes": None, "path": None}, image(s, 1)]},
    ],
)
def test_a_lateral_view_never_takes_the_place_of_a_frontal(
    few: tuple[Study, ...], tmp_path: Path, columns: dict[str, Any]
) -> None:
    write_rows(tmp_path / "a.parquet", rows_of(["findings"], uid=lambda s: s.number, **columns))
    with pytest.raises(DataError, match="CXR300_IM-0000 has no frontal image"):
        load("iu-xray").examples(tmp_path, "test")


def test_a_row_per_view_is_one_study(few: tuple[Study, ...], tmp_path: Path) -> None:
    rows = [
        {"text": text, "filename": f"{study.id}/{number}.png", "image": image(study, number)}
        for number in (1, 0)
        for study, text in zip(FEW, [t for split in TEXTS.values() for t in split], strict=True)
    ]
    write_rows(tmp_path / "a.parquet", rows)
    assert load("iu-xray").examples(tmp_path, "test")[0].encoded() == view(f"{FEW[5].id}/0")
    assert len(load("iu-xray").examples(tmp_path, "test")) == 2


def plain(texts: dict[str, list[str]]) -> list[Row]:
    return [Row(None, text, split) for split, few in texts.items() for text in few]


def test_rows_without_ids_are_told_by_text_and_shared_texts_by_their_split(few: tuple[Study, ...]) -> None:
    found = match(plain(TEXTS))
    assert len(found.rows) == 7
    assert (found.by_text, found.by_count, found.shared) == (4, 3, 0)
    spelled = [Row(None, row.text.upper().replace(".", " ,"), row.split) for row in plain(TEXTS)]
    assert match(spelled).rows == found.rows


def test_a_shared_text_is_never_given_to_a_study_of_another_split(few: tuple[Study, ...]) -> None:
    elsewhere = {"train": [text for split in TEXTS.values() for text in split]}
    found = match(plain(elsewhere))
    assert (found.by_text, found.by_count, found.shared) == (4, 0, 3)
    twice = match(plain({"train": ["A.", "A."]}))
    assert (twice.rows, twice.shared) == ({}, 2)


def test_other_findings_and_other_studies_are_counted(few: tuple[Study, ...]) -> None:
    found = match([Row("CXR100", "Another text.", ""), Row("CXR999_IM-0001", "A.", ""), Row(None, "Nobody's.", "")])
    assert (found.rows, found.differing, found.outside) == ({}, {"CXR100_IM-0000"}, 2)


def test_a_part_of_a_split_is_refused_with_counts(few: tuple[Study, ...], tmp_path: Path) -> None:
    rows = LAYOUTS["uid and two views"]
    other = rows[6] | {"findings": "Not D."}
    write_rows(tmp_path / "a.parquet", [*rows[:6], other])
    with pytest.raises(DataError, match=r"1 of the 2 studies of R2Gen's test split \(missing: CXR301_IM-0001; 1 of th"):
        load("iu-xray").examples(tmp_path, "test")
    assert len(load("iu-xray").examples(tmp_path, "train")) == 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"uid": 1, "img_frontal": b"x"}], "no column of findings"),
        ([{"uid": 1, "findings": "A."}], "no column of images"),
    ],
)
def test_a_copy_without_texts_or_images_is_refused(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    write_rows(tmp_path / "a.parquet", rows)
    with pytest.raises(DataError, match=message):
        load("iu-xray").examples(tmp_path, "test")


def test_names_of_files_are_no_images(few: tuple[Study, ...], tmp_path: Path) -> None:
    rows = rows_of(["findings"], uid=lambda s: s.number, image=lambda s: f"{s.id}/0.png")
    write_rows(tmp_path / "a.parquet", rows)
    with pytest.raises(DataError, match="names of image files"):
        load("iu-xray").examples(tmp_path, "test")


def test_a_number_in_a_column_of_row_numbers_is_no_report_number(few: tuple[Study, ...], tmp_path: Path) -> None:
    rows = rows_of(["findings"], id=lambda s: 100 + FEW.index(s), image=image)
    write_rows(tmp_path / "test-00000-of-00001.parquet", rows)
    assert {row.id for row in read_copy(tmp_path).rows} == {None}


def test_the_committed_table_is_what_the_annotation_gives_and_holds_no_text(shared_data: Path) -> None:
    table = studies_table(shared_data / "iu_xray" / "annotation.json")
    assert json.loads(_r2gen.TABLE.read_text()) == table
    assert {split: len(ids) for split, ids in table.items()} == {"train": 2069, "validation": 296, "test": 590}
    keys = [key for ids in table.values() for key in ids.values()]
    assert all(len(key) == 12 for key in keys)
    shared = [key for key, count in Counter(keys).items() if count > 1]
    assert (len(set(keys)), len(shared)) == (2258, 133)
    assert len({study.number for study in _r2gen.studies()}) == 2955


def test_a_whole_copy_gives_r2gens_split_in_its_order(shared_data: Path, tmp_path: Path) -> None:
    iu_xray_stand_in(shared_data, tmp_path)
    annotation = json.loads((shared_data / "iu_xray" / "annotation.json").read_text())
    test, train = (load("iu-xray").examples(tmp_path, split) for split in ("test", "train"))
    assert [(e.id, e.reference) for e in test] == [
        (f"iu-xray/{e['id']}", e["report"].strip()) for e in annotation["test"]
    ]
    assert (len(test), len(train)) == (590, 2069)
    assert not {e.image_id for e in test} & {e.image_id for e in train}
    assert sum("XXXX" in e.reference for e in test) == 212
    assert len({e.reference for e in test}) == 398
    with Image.open(io.BytesIO(test[0].encoded())) as picture:
        assert picture.size == (2048, 2496)


def test_the_split_is_told_by_texts_alone_where_the_copy_keeps_it(shared_data: Path) -> None:
    annotation = json.loads((shared_data / "iu_xray" / "annotation.json").read_text())
    parts = {"train": "train", "validation": "val", "test": "test"}
    found = match([Row(None, e["report"], ours) for ours, theirs in parts.items() for e in annotation[theirs]])
    assert (len(found.rows), found.by_text, found.by_count) == (2955, 2125, 830)
    apart = match([Row(None, e["report"], "") for theirs in parts.values() for e in annotation[theirs]])
    assert len(apart.rows) + apart.shared == 2955
    assert apart.shared > 0  # texts of several splits cannot be told apart
