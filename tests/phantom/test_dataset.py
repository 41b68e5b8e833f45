"""The published benchmark: images stored once, splits disjoint, columns that `datasets` understands."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clincot.errors import DataError
from clincot.phantom.dataset import phantom_files
from clincot.phantom.drawing.draw import draw


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom")
    phantom_files(folder, seed=0, train=24, validation=4, test=4)
    return folder


def read(folder, split):
    return pq.read_table(folder / f"data/{split}-00000-of-00001.parquet").to_pylist()


def test_each_image_is_stored_once_though_many_rows_show_it(folder):
    rows = read(folder, "train")
    distinct = {row["image_id"]: row["image"]["bytes"] for row in rows}
    size = (folder / "data/train-00000-of-00001.parquet").stat().st_size
    assert len(distinct) == 24 and len(rows) > 72
    assert size < 1.1 * sum(map(len, distinct.values()))


def test_splits_share_no_image(folder):
    ids = [{row["image_id"] for row in read(folder, split)} for split in ("train", "validation", "test")]
    assert not (ids[0] & ids[1] or ids[0] & ids[2] or ids[1] & ids[2])


def test_row_ids_are_unique_and_rows_of_an_image_stand_together(folder):
    rows = read(folder, "train")
    assert len({row["id"] for row in rows}) == len(rows)
    order = [row["image_id"] for row in rows]
    assert order == sorted(order)


def test_the_png_holds_the_drawn_pixels(folder):
    row = read(folder, "train")[0]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(row["image"]["bytes"]))), draw(0, 0).image)


def test_equal_arguments_give_equal_bytes(folder, tmp_path):
    files = phantom_files(tmp_path, seed=0, train=24, validation=4, test=4)
    assert all((folder / name).read_bytes() == path.read_bytes() for name, path in files.items())


def test_datasets_reads_the_folder_and_decodes_images(folder, tmp_path):
    import datasets

    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    row = loaded["train"][0]
    assert row["image"].size == (256, 256)
    assert list(loaded) == ["train", "validation", "test"]
    assert loaded["train"].features["findings"].feature["box"].feature.dtype == "int32"


def test_the_card_counts_rows(folder):
    card = (folder / "README.md").read_text()
    assert f"| train | 24 | {len(read(folder, 'train'))} |" in card and "license: cc0-1.0" in card


def test_a_split_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="Ask for 1 to"):
        phantom_files(tmp_path, seed=0, train=0, validation=1, test=1)
