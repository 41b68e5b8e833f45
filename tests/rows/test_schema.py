"""Parquet files that are written: whole under their name or not at all, whoever else writes the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Features, Value

from clincot.errors import DiskFull
from clincot.rows.schema import write_parquet

FEATURES = Features({"n": Value("int64")})


def part(n: int) -> pa.Table:
    return pa.table({"n": [n]}).cast(FEATURES.arrow_schema)


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"

    def slow() -> Iterator[pa.Table]:
        yield part(1)
        write_parquet([part(2)], path, FEATURES)  # the other begins and ends meanwhile
        assert pq.read_table(path)["n"].to_pylist() == [2]

    write_parquet(slow(), path, FEATURES)
    assert pq.read_table(path)["n"].to_pylist() == [1]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("failure", "told"), [(OSError("no space left"), DiskFull), (KeyError("row"), KeyError)])
def test_a_failed_write_leaves_nothing(failure: Exception, told: type[Exception], tmp_path: Path) -> None:
    def broken() -> Iterator[pa.Table]:
        yield part(1)
        raise failure

    with pytest.raises(told):
        write_parquet(broken(), tmp_path / "rows.parquet", FEATURES)
    assert not list(tmp_path.iterdir())
