"""A snapshot folder and a split -> the rows of its files, with errors that name file, row, column or split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Source
from clincot.errors import DataError
from clincot.images import content_id
from clincot.records import Example
from clincot.records.stored_images import Spill, StoredImage

BATCH = 16  # rows in memory at once: a row of parquet carries its image
BUFFER = 1 << 20  # bytes of a column read at once; without it pyarrow reads a row group's images whole


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


def open_parquet(file: Path) -> Any:
    """Return the file opened to be read page by page; raises DataError when it is not parquet.

    With `pre_buffer`, pyarrow's default, every row group that was read stays in memory (448 MB for 400 MB of images).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file}: cannot be read as parquet ({error}). Pull the dataset again.") from error


def parquet_rows(folder: Path, pattern: str, columns: Sequence[str], source: Source) -> Iterator[dict[str, Any]]:
    """Yield the rows of all parquet files that match `pattern` below `folder`, in the order of their names."""
    files = sorted(folder.glob(pattern))
    if not files:
        raise DataError(f"{source.repo}: no file {pattern} in {folder}. Pull the dataset again.")
    for file in files:
        opened = open_parquet(file)
        require_columns(opened.schema_arrow.names, columns, f"{source.repo}: {file.name}")
        yield from batches(opened, file, columns=list(columns))


def batches(opened: Any, file: Path, **chosen: Any) -> Iterator[dict[str, Any]]:
    """Yield the chosen rows of an opened parquet file; raises DataError for damaged pages."""
    import pyarrow as pa

    try:
        for batch in opened.iter_batches(batch_size=BATCH, use_threads=False, **chosen):
            yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file}: is damaged ({error}). Pull the dataset again.") from error


class ImageStore:
    """Images of a split by their names: on disk, and once, however many rows repeat them."""

    def __init__(self) -> None:
        self._spill = Spill()
        self._kept: dict[str, StoredImage] = {}

    def keep(self, cell: Any, where: str) -> tuple[str, StoredImage]:
        """Return (content id, image) of an image cell; raises DataError when it holds no bytes, DiskFull."""
        data = cell.get("bytes") if isinstance(cell, dict) else cell
        if not isinstance(data, bytes) or not data:
            raise DataError(f"{where}: has no image in it. Pull a copy of the dataset that embeds its images.")
        name = content_id(data)
        return name, self.named(name, data)

    def named(self, name: str, data: bytes) -> StoredImage:
        """Return the image called `name`, whose bytes are the first that came under that name; raises DiskFull."""
        if name not in self._kept:
            self._kept[name] = self._spill.append(data)
        return self._kept[name]


def image_name(cell: Any, id: str) -> str:
    """Return the name of an image cell in messages: the row's id and the image's published file name."""
    path = cell.get("path") if isinstance(cell, dict) else None
    return f"{id} ({path})" if path else id


def text_of(row: Mapping[str, Any], column: str, where: str) -> str:
    """Return a text that must be there; raises DataError for an empty one, for NaN, numbers and null."""
    value = row[column]
    if isinstance(value, str) and value.strip():
        return value
    what = "is empty" if isinstance(value, str) else f"is {value!r}, no text"
    raise DataError(f"{where}: its {column} {what}. Correct the row, or use the revision that the benchmark names.")


def checked(examples: list[Example], source: Source, split: str) -> list[Example]:
    """Return the examples; raises DataError when the split is empty, or an id occurs twice."""
    if not examples:
        raise DataError(f"{source.repo}: its split {split} is empty. Pull the dataset again.")
    seen: set[str] = set()
    for example in examples:
        if example.id in seen:
            raise DataError(f"{source.repo}: the id {example.id!r} occurs twice in {split}. Correct the dataset's ids.")
        seen.add(example.id)
    return examples
