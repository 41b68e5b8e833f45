"""R2Gen's folder, or a downloaded copy, becomes a complete local copy; damaged ones are refused by name."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from PIL import Image
from stand_ins import r2gen_stand_in, small_radiograph, stamped, write_rows

from clincot.benchmarks import _r2gen, load
from clincot.benchmarks._r2gen import Study, text_hash
from clincot.benchmarks.iu_xray_release import imported, imported_two_views, read_annotations, side_by_side
from clincot.errors import DataError
from clincot.images import decode

STUDIES = tuple(
    Study(f"CXR{i}_IM-000{i}", split, text_hash(f"Text {i}."))
    for i, split in enumerate(("train", "train", "validation", "test", "test"))
)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_r2gen, "studies", lambda: STUDIES)


def entries() -> dict[str, list[dict[str, Any]]]:
    keys = {"train": "train", "val": "validation", "test": "test"}
    return {
        key: [
            {"id": s.id, "report": f"Text {s.number}.", "image_path": [f"{s.id}/0.png", f"{s.id}/1.png"]}
            for s in STUDIES
            if s.split == split
        ]
        for key, split in keys.items()
    }


def lay_out(folder: Path, made: dict[str, Path]) -> Path:
    for name, path in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(path.read_bytes())
    return folder


def test_the_folder_of_r2gen_becomes_a_copy_that_datasets_and_the_benchmark_read(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    made = imported(r2gen_stand_in(entries(), tmp_path / "release"), tmp_path / "made")
    hub = lay_out(tmp_path / "hub", made.files)
    loaded = load_dataset(str(hub), split="test", cache_dir=str(tmp_path / "cache"))
    assert loaded.column_names == ["id", "findings", "images"]
    assert [picture.size for picture in loaded[0]["images"]] == [(64, 80), (64, 80)]
    examples = load("iu-xray").examples(hub, "test")
    assert [e.id for e in examples] == ["iu-xray/CXR3_IM-0003", "iu-xray/CXR4_IM-0004"]
    assert examples[0].encoded() == (tmp_path / "release/images/CXR3_IM-0003/0.png").read_bytes()
    assert made.note.startswith("train, validation, test of release: 5 studies, 0 recognised by their text")


def test_two_views_share_a_canvas(tmp_path: Path) -> None:
    release = r2gen_stand_in(entries(), tmp_path / "release")
    (tmp_path / "made").mkdir()
    hub = lay_out(tmp_path / "hub", imported_two_views(release, tmp_path / "made").files)
    one = load("iu-xray-two-views").examples(hub, "test")[0]
    assert one.id == "iu-xray-two-views/CXR3_IM-0003"
    assert decode(one.encoded()).size == (64 + 16 + 64, 144)
    (release / "images/CXR3_IM-0003/1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="CXR3_IM-0003: cannot be read as an image"):
        imported_two_views(release, tmp_path / "made")
    with pytest.raises(DataError, match="CXR3 has 1 of 2 views"):
        side_by_side("CXR3", [small_radiograph()])


def test_views_of_a_canvas_are_scaled_to_one_height() -> None:
    buffer = io.BytesIO()
    Image.new("L", (3000, 2000)).save(buffer, "PNG")
    drawn = decode(side_by_side("CXR3", [buffer.getvalue(), small_radiograph()]))
    assert drawn.width == 1536 + 16 + round(64 * 1024 / 80)


def test_a_downloaded_copy_with_test_alone_is_imported_without_the_other_splits(tmp_path: Path) -> None:
    rows = [
        {"findings_section": f"Text {i}.", "main_image": {"bytes": stamped(small_radiograph(), str(i)), "path": None}}
        for i in (4, 3)
    ]
    write_rows(tmp_path / "copy/findings_section/test-00000-of-00001.parquet", rows)
    others = [{"impression_section": "None.", "main_image": b"x"}]
    write_rows(tmp_path / "copy/impression_section/test-00000-of-00001.parquet", others)
    (tmp_path / "made").mkdir()
    made = imported(tmp_path / "copy", tmp_path / "made")
    assert sorted(made.files) == ["README.md", "data/test-00000-of-00001.parquet"]
    assert "2 recognised by their text" in made.note
    examples = load("iu-xray").examples(lay_out(tmp_path / "hub", made.files), "test")
    assert examples[0].encoded() == stamped(small_radiograph(), "3")


def _blank(release: Path) -> None:
    # manavkapadnis/SERPENT-VLM's file
    given = entries()
    _write(release, {"train": given["train"], "val": given["val"], "    ": given["test"]})


def _write(release: Path, content: Any) -> None:
    (release / "annotation.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_blank, "the split '    ' has a blank name"),
        (lambda release: _write(release, {"train": [], "val": []}), "has no splits train, val, test"),
        (lambda release: _write(release, []), "has no splits train, val, test"),
        (lambda release: (release / "annotation.json").write_text("{"), "is not JSON"),
        (
            lambda release: _write(release, entries() | {"test": [{"id": "CXR3", "report": None}]}),
            "has no id or report",
        ),
        (lambda release: _write(release, entries() | {"test": entries()["test"][:1]}), "1 of the 2 studies"),
        (lambda release: (release / "images/CXR3_IM-0003/1.png").unlink(), r"CXR3_IM-0003/1\.png: not found"),
        (lambda release: (release / "annotation.json").unlink(), "no parquet file"),
    ],
)
def test_a_damaged_release_is_refused_by_name(tmp_path: Path, damage: Any, message: str) -> None:
    release = r2gen_stand_in(entries(), tmp_path / "release")
    (tmp_path / "made").mkdir()
    damage(release)
    with pytest.raises(DataError, match=message):
        imported(release, tmp_path / "made")


def test_the_real_annotation_is_read_in_its_order(shared_data: Path) -> None:
    read = read_annotations(shared_data / "iu_xray" / "annotation.json")
    assert [split for split, _ in read].count("test") == 590
    assert read[0][1]["id"] == "CXR2384_IM-0942"
