"""The embedded benchmark reads its own snapshot into examples."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from clincot.benchmarks.phantom import Phantom
from clincot.errors import DataError
from clincot.phantom.dataset import phantom_files
from clincot.phantom.drawing.draw import draw
from clincot.phantom.texts.questions import report


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom")
    phantom_files(folder, seed=0, train=8, validation=2, test=3)
    return folder


def test_examples_carry_the_truth_of_the_drawing(folder):
    examples = Phantom().examples(folder, "train")
    for example in examples:
        phantom = draw(0, int(example.image_id.rsplit("-", 1)[1]))
        assert example.reference.endswith(report(phantom.findings))
        assert (f"Answer: {example.answer}." in example.reference) == (example.answer_type != "report")
        assert [(r.finding, r.box) for r in example.true_regions] == [(f.name, f.box) for f in phantom.findings]
        assert example.modality == "phantom"


def test_examples_of_one_image_share_it(folder):
    examples = Phantom().examples(folder, "train")
    assert len({id(e.image) for e in examples}) == len({e.image_id for e in examples}) == 8 < len(examples)


def test_an_unknown_split_is_an_error_with_a_suggestion(folder):
    with pytest.raises(DataError, match="validation"):
        Phantom().examples(folder, "validaton")


def test_an_empty_folder_names_the_command_that_fills_it(tmp_path):
    with pytest.raises(DataError, match="clincot phantom draw"):
        Phantom().examples(tmp_path, "test")


def test_missing_columns_are_named(folder, tmp_path):
    (tmp_path / "data").mkdir()
    table = pq.read_table(folder / "data/test-00000-of-00001.parquet").drop_columns(["findings", "kind"])
    pq.write_table(table, tmp_path / "data/test-00000-of-00001.parquet")
    with pytest.raises(DataError, match="kind, findings"):
        Phantom().examples(tmp_path, "test")


def test_a_file_that_is_not_parquet_is_an_error(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/test-00000-of-00001.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match="parquet"):
        Phantom().examples(tmp_path, "test")
