"""A file of JSON, JSON lines or Parquet <-> its rows, one mapping each; lines that cannot be read are counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clincot.errors import DataError
from clincot.records.atomic import write_file

ENDINGS = (".jsonl", ".json", ".parquet")
BATCH = 256


def records(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """Yield the number of each row, or of its line, from 1 on, with the row; None in place of what is no row.

    Raises DataError for a file that cannot be read as a whole.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        yield from _parquet(path)
    elif ending == ".jsonl":
        yield from _lines(path)
    elif ending == ".json":
        yield from _list(path)
    else:
        raise DataError(f"{path.name}: does not end in {', '.join(ENDINGS)}. Convert it, or name another file.")


def _parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    try:
        opened = pq.ParquetFile(path, pre_buffer=False)
        number = 0
        for batch in opened.iter_batches(batch_size=BATCH):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path.name}: cannot be read as parquet ({error}). Download or write it again.") from error


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            bare = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if bare:
                yield number, _row(bare)


def _row(line: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _list(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    try:
        found = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        if _first_is_row(path):  # JSON lines by another ending, as ms-swift takes them
            yield from _lines(path)
            return
        raise DataError(
            f"{path.name}: cannot be read as JSON ({error}). Correct it, or write one row a line."
        ) from error
    if not isinstance(found, list):
        raise DataError(f"{path.name}: is a JSON {type(found).__name__}, not a list of rows. Write a list.")
    for number, row in enumerate(found, 1):
        yield number, row if isinstance(row, dict) else None


def _first_is_row(path: Path) -> bool:
    with path.open("rb") as stream:
        return _row(stream.readline().removeprefix(b"\xef\xbb\xbf").strip()) is not None


def write_lines(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write a row a line, as a file that appears whole or not at all."""

    def write(partial: Path) -> None:
        with partial.open("w", encoding="utf-8") as stream:
            for row in rows:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")

    write_file(path, write)


def write_list(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write a JSON list with a row a line, as a file that appears whole or not at all."""

    def write(partial: Path) -> None:
        with partial.open("w", encoding="utf-8") as stream:
            stream.write("[")
            for number, row in enumerate(rows):
                stream.write((",\n" if number else "\n") + json.dumps(row, ensure_ascii=False))
            stream.write("\n]\n")

    write_file(path, write)
