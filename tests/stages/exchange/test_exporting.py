"""A round's rows in other projects' formats: images by conditioning, what is left out, and the way back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from clincot.errors import DataError
from clincot.rows import formats
from clincot.stages.exchange.exporting import BETWEEN, CUT, ONE_TEXT, TOKENS, ExportJob, export_rows
from clincot.stages.exchange.importing import ImportJob, import_rows
from tests.objectives.rows import make_row, png, write_rows

ASKED = [{"role": "user", "content": "Is there a nodule?"}]
ALONE = {"side_images": [], "chosen_images_count": 0, "rejected_images_count": 0, "prompt": ASKED}
BLOCKS = [{"type": "text", "text": "Compare"}, {"type": "image"}, {"type": "text", "text": "with nothing."}]
MIXED = [{"role": "user", "content": BLOCKS}]


@pytest.fixture
def job(tmp_path: Path) -> ExportJob:
    rows = [make_row(0), make_row(1, weight=0.5, **ALONE), make_row(0, id="again", chosen="Left", rejected="Right")]
    path = write_rows(tmp_path / "rows.parquet", rows)
    (tmp_path / "out").mkdir()
    return ExportJob((path,), formats.load("swift"), tmp_path / "out", "per_side")


def written(job: ExportJob) -> list[dict]:
    export_rows(job)
    path = next(path for path in job.folder.iterdir() if path.stem == "train")
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    text = path.read_text()
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def images(job: ExportJob, names: list[str]) -> list[bytes]:
    return [(job.folder / name).read_bytes() for name in names]


def test_each_side_keeps_its_own_crop_where_the_format_has_a_place_for_it(job: ExportJob) -> None:
    crops, plain, again = written(job)
    assert images(job, crops["images"]) == [png(0), png(1)] and images(job, crops["rejected_images"]) == [
        png(0),
        png(2),
    ]
    assert images(job, plain["images"]) == [png(3)] and "rejected_images" not in plain and plain["weight"] == 0.5
    assert crops["messages"][0]["content"].startswith("<image><image>") and "weight" not in crops
    assert again["images"] == crops["images"] and len(list((job.folder / "images").iterdir())) == 4
    assert crops["margin"] == pytest.approx(make_row(0)["chosen_score"] - make_row(0)["rejected_score"], abs=1e-6)


def test_one_list_of_images_holds_the_winners_crop_or_none(job: ExportJob) -> None:
    trl = replace(job, form=formats.load("trl"))
    with pytest.raises(DataError, match="row row-0: its sides have their own images.*--conditioning winner"):
        export_rows(trl)
    winner = written(replace(trl, conditioning="winner"))
    assert [image["bytes"] for image in winner[0]["images"]] == [png(0), png(1)]
    (job.folder / "train.parquet").unlink()
    bare = written(replace(trl, conditioning="global"))
    assert [image["bytes"] for image in bare[0]["images"]] == [png(0)]
    assert [len(row["images"]) for row in bare] == [1, 1, 1]
    said = [{"role": "assistant", "content": make_row(0)["chosen"]}]
    assert bare[0]["chosen"] == said and isinstance(bare[0]["prompt"][0]["content"], str)


def test_what_a_format_cannot_say_is_left_out_and_counted(job: ExportJob, tmp_path: Path) -> None:
    rows = [
        make_row(0, **ALONE),
        make_row(1, chosen_finish="length", **ALONE),
        make_row(2, rejected_token_weights=[0.5, 1.0], **ALONE),
        make_row(3, **ALONE | {"prompt": MIXED}),
    ]
    path = write_rows(tmp_path / "odd.parquet", rows)
    outcome = export_rows(replace(job, rows=(path,), form=formats.load("llava")))
    assert (outcome.rows, outcome.left_out) == (1, {CUT: 1, TOKENS: 1, BETWEEN: 1})
    inside = export_rows(replace(job, rows=(path,)))
    assert (inside.rows, inside.left_out) == (2, {CUT: 1, TOKENS: 1})
    assert "Compare<image>with nothing." in (job.folder / "train.jsonl").read_text()
    cut = write_rows(tmp_path / "cut.parquet", [rows[1]])
    with pytest.raises(DataError, match="no row can be written in ms-swift's format: 1 with a text cut"):
        export_rows(replace(job, rows=(cut,)))


def test_a_pair_of_images_with_one_text_comes_back_and_has_no_place_in_one_list(job: ExportJob, tmp_path: Path) -> None:
    same = {"chosen": "Yes", "rejected": "Yes", "chosen_score": None, "rejected_score": None}
    rows = [make_row(0, **same), make_row(1)]
    path = write_rows(tmp_path / "images.parquet", rows)
    outcome = export_rows(replace(job, rows=(path,)))
    assert outcome.rows == 2
    import_rows(ImportJob((job.folder / "train.jsonl",), job.form, job.folder, tmp_path / "back.parquet"))
    back = pq.read_table(tmp_path / "back.parquet").to_pylist()[0]
    assert back["chosen"] == back["rejected"] == "Yes"
    assert [image["bytes"] for image in back["side_images"]] == [png(1), png(2)]
    for conditioning in ("winner", "global"):
        bare = export_rows(replace(job, rows=(path,), form=formats.load("trl"), conditioning=conditioning))
        assert (bare.rows, bare.left_out) == (1, {ONE_TEXT: 1})


@pytest.mark.parametrize("name", formats.FORMATS)
def test_rows_come_back_as_they_left(job: ExportJob, tmp_path: Path, name: str) -> None:
    form = formats.load(name)
    rows = [make_row(n, weight=(0.2, 0.8, 1.0)[n], **ALONE) for n in range(3)]
    path = write_rows(tmp_path / "alone.parquet", rows)
    export_rows(replace(job, rows=(path,), form=form))
    file = next(path for path in job.folder.iterdir() if path.stem == "train")
    import_rows(ImportJob((file,), form, job.folder, tmp_path / "back.parquet"))
    before, after = pq.read_table(path).to_pylist(), pq.read_table(tmp_path / "back.parquet").to_pylist()
    for column in ("prompt", "chosen", "rejected", "weight"):
        assert [row[column] for row in after] == [row[column] for row in before], column
    assert [row["images"][0]["bytes"] for row in after] == [row["images"][0]["bytes"] for row in before]
