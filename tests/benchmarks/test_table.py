"""The table of benchmarks: every name resolves to one that meets the contract, unknown names are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from clincot.benchmarks import BENCHMARKS, load
from clincot.benchmarks._reading import parquet_rows
from clincot.errors import ClincotError, DataError


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
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"question": ["?"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="lacks the column image, answer"):
        parquet_rows(tmp_path, "*.parquet", ("image", "question", "answer"), load("vqa-rad").source)
