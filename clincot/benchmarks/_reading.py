"""A snapshot folder and a split -> the rows of its files, with errors that name file, column or split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Source
from clincot.errors import DataError


def name_of(split: str, source: Source, splits: Mapping[str, str]) -> str:
    """Return what the repository calls `split`; raises DataError for a split that it does not have."""
    if split not in splits:
        raise DataError(f"benchmark {source.name}: has no split {split!r}. Use one of: {', '.join(splits)}.")
    return splits[split]


def require_columns(present: Sequence[str], wanted: Sequence[str], where: str) -> None:
    """Raise DataError when a wanted column is missing."""
    missing = [column for column in wanted if column not in present]
    if missing:
        raise DataError(
            f"{where}: lacks the column {', '.join(missing)} (it has {', '.join(present)}). "
            "Use the revision of the dataset that the benchmark names."
        )


def parquet_rows(folder: Path, pattern: str, columns: Sequence[str], source: Source) -> list[dict[str, Any]]:
    """Return the rows of all parquet files that match `pattern` below `folder`, in the order of their names."""
    import pyarrow.parquet as pq

    files = sorted(folder.glob(pattern))
    if not files:
        raise DataError(f"{source.repo}: no file {pattern} in {folder}. Pull the dataset again.")
    rows: list[dict[str, Any]] = []
    for file in files:
        require_columns(pq.read_schema(file).names, columns, f"{source.repo}: {file.name}")
        rows += pq.read_table(file, columns=list(columns)).to_pylist()
    return rows
