"""The files of version 2: what a row holds, equal bytes, and the benchmark that reads them by its own name."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clincot import benchmarks
from clincot.chain.hypotheses import hypotheses
from clincot.errors import DataError
from clincot.phantom.dataset import phantom_files
from clincot.phantom.v2.dataset import image_rows
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.objects import DISTRACTORS, objects
from clincot.phantom.v2.texts.wording import UNSEEN

SIZES = {"train": 8, "validation": 4, "test": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom-v2")
    phantom_files(folder, seed=0, version=2, **SIZES)
    return folder


def rows_of(folder):
    return pq.read_table(folder / "data/train-00000-of-00001.parquet").to_pylist()


def test_a_row_has_the_boxes_of_nodules_and_of_distractors(folder):
    for row in rows_of(folder):
        layout = objects(0, int(row["image_id"].rsplit("-", 1)[1]))
        assert [tuple(f["box"]) for f in row["findings"]] == [thing.box for thing in layout.lesions]
        assert {f["finding"] for f in row["distractors"]} <= set(DISTRACTORS)
        assert len(row["distractors"]) == len(layout.distractors)


def test_the_png_holds_the_drawn_pixels(folder):
    row = rows_of(folder)[0]
    index = int(row["image_id"].rsplit("-", 1)[1])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(row["image"]["bytes"]))), draw(0, index).image)


def test_equal_arguments_give_equal_bytes(folder, tmp_path):
    files = phantom_files(tmp_path, seed=0, version=2, **SIZES)
    assert all((folder / name).read_bytes() == path.read_bytes() for name, path in files.items())


def test_the_card_says_which_version_it_is_and_how_it_was_drawn(folder):
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "pretty_name: Phantom chest radiographs, version 2" in card
    assert "clincot phantom draw --version 2 --seed 0" in card and "| `distractors` |" in card


def test_the_benchmark_names_the_version(folder):
    benchmark = benchmarks.load("phantom-v2")
    examples = benchmark.examples(folder, "train")
    assert benchmark.source.name == "phantom-v2" and benchmark.source.repo == "clincot/phantom-v2"
    assert [example.id for example in examples] == [row["id"] for row in rows_of(folder)]
    assert {region.finding for example in examples for region in example.true_regions} <= {"nodule"}
    assert hypotheses("phantom", [example.question for example in examples], 6, known=["nodule"]) == ("nodule",)


def test_an_unknown_version_is_refused(tmp_path):
    with pytest.raises(DataError, match="no version 3. Ask for 1 or 2"):
        phantom_files(tmp_path, seed=0, version=3, **SIZES)


def test_the_held_out_sets_differ_in_one_thing_each():
    index = next(number for number in range(20) if image_rows(0, number))
    plain, dim, worded = image_rows(0, index), image_rows(0, index, contrast=0.8), image_rows(0, index, wording=UNSEEN)
    assert [row["answer"] for row in plain] == [row["answer"] for row in dim] == [row["answer"] for row in worded]
    assert plain[0]["image"] == worded[0]["image"] != dim[0]["image"]
    assert plain[0]["question"] == dim[0]["question"] != worded[0]["question"]
