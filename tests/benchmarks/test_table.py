"""The table of benchmarks: every name resolves to one that meets the contract, unknown names are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clincot.benchmarks import BENCHMARKS, IMPORTERS, load
from clincot.benchmarks.reading import parquet_rows
from clincot.errors import ClincotError, DataError
from clincot.recipe.choices import choose


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_name_loads_a_benchmark_of_that_name(name: str) -> None:
    benchmark = load(name)
    assert benchmark.source.name == name
    assert "/" in benchmark.source.repo
    assert benchmark.source.licence
    assert {"train", "test"} <= set(benchmark.splits)
    assert benchmark.patterns


def test_an_unknown_benchmark_is_refused_with_a_near_name() -> None:
    with pytest.raises(ClincotError, match="Did you mean 'vqa-rad'"):
        load("vqa_rad")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_an_unknown_split_and_an_empty_folder_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no split|no split"):
        load(name).examples(tmp_path, "dev")
    with pytest.raises(DataError, match="no "):
        load(name).examples(tmp_path, "test")


def test_missing_columns_are_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"question": ["?"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="lacks the column image, answer"):
        list(parquet_rows(tmp_path, "*.parquet", ("image", "question", "answer"), load("vqa-rad").source))


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    source, column = load("vqa-rad").source, {"a": [str(i) * 50 for i in range(500)]}
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read as parquet"):
        list(parquet_rows(tmp_path, "*.parquet", ("a",), source))
    pq.write_table(pa.table(column), tmp_path / "a.parquet")
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[4:200] = bytes(196)
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(DataError, match="is damaged"):
        list(parquet_rows(tmp_path, "*.parquet", ("a",), source))


GOOD = {"image": {"bytes": b"picture", "path": None}, "question": "Is it?", "answer": "yes"}
BAD = [
    ({"answer": ""}, "/test/1: its answer is empty"),
    ({"answer": None}, "/test/1: its answer is None, no text"),
    ({"question": " "}, "/test/1: its question is empty"),
    ({"image": {"bytes": None, "path": "a.jpg"}}, "/test/1: has no image in it"),
]


@pytest.mark.parametrize("name", ["vqa-rad", "path-vqa"])
@pytest.mark.parametrize(("fault", "message"), BAD)
def test_bad_rows_of_an_image_question_answer_copy_are_named(
    tmp_path: Path, name: str, fault: dict[str, Any], message: str
) -> None:
    (tmp_path / "data").mkdir()
    rows = [GOOD, GOOD | fault]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data/test-00000-of-00001.parquet")
    with pytest.raises(DataError, match=name + message):
        load(name).examples(tmp_path, "test")


@pytest.mark.parametrize("name", ["vqa-rad", "path-vqa"])
def test_an_empty_split_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "data").mkdir()
    table = pa.Table.from_pylist([GOOD]).slice(0, 0)
    pq.write_table(table, tmp_path / "data/test-00000-of-00001.parquet")
    with pytest.raises(DataError, match="its split test is empty"):
        load(name).examples(tmp_path, "test")


def test_importers_exist() -> None:
    assert all(callable(choose(IMPORTERS, name, "importer")) for name in IMPORTERS)
    assert IMPORTERS.keys() <= BENCHMARKS.keys()
