"""A .jsonl, .json, .csv or .parquet file of answers made elsewhere -> its lines, each checked by itself and named."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clincot.errors import DataError
from clincot.records import Box

NEEDED = ("example_id", "text")
KEY = ("example_id", "policy", "inference", "control")  # one answer each
Lines = list[tuple[str, dict[str, Any]]]


def read_lines(path: Path) -> Lines:
    """Return (place, line) for each answer, checked without the benchmark.

    Raises DataError for another format, damage, missing columns, texts that no UTF-8 file holds, and boxes that are
    none.
    """
    readers = {".parquet": _parquet, ".jsonl": _jsonl, ".json": _json, ".csv": _csv}
    if path.suffix not in readers:
        raise DataError(f"{path}: is no {', '.join(readers)} file. Write the answers as one of them.")
    if not path.is_file():
        raise DataError(f"{path}: no such file. Give a file of answers ({', '.join(readers)}).")
    lines = list(readers[path.suffix](path))
    if not lines:
        raise DataError(f"{path}: holds no answers of a policy. Give one line per question with example_id and text.")
    seen: set[tuple[str, ...]] = set()
    for place, line in lines:
        _check(place, line)
        key = tuple(str(line.get(column) or "") for column in KEY)
        if key in seen:
            raise DataError(f"{place}: answers {line['example_id']!r} a second time. Keep one answer.")
        seen.add(key)
    return lines


def box_of(place: str, line: dict[str, Any]) -> Box | None:
    """Return the line's box in pixels, or None where it has none; raises DataError for one that holds no pixel."""
    given = line.get("box")
    if given is None or given in ("", []):
        return None
    if isinstance(given, str):  # a cell of a .csv file
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = None
    if not (isinstance(given, list) and len(given) == 4 and all(type(edge) is int for edge in given)):
        raise DataError(
            f"{place}: the box {line['box']!r} is not a box. Give [left, upper, right, lower] in whole pixels."
        )
    box = Box(*given)
    if min(box) < 0 or box.left >= box.right or box.upper >= box.lower:
        raise DataError(
            f"{place}: the box {given!r} holds no pixel of an image. Give [left, upper, right, lower] in whole pixels"
            " from 0, with left below right and upper below lower."
        )
    if max(box) >= 2**31:
        raise DataError(f"{place}: the box {given!r} lies outside of any image. Give pixels of the image.")
    return box


def _check(place: str, line: dict[str, Any]) -> None:
    missing = [name for name in NEEDED if name not in line]
    if missing:
        raise DataError(f"{place}: lacks {' and '.join(missing)}. Name the columns example_id and text.")
    if not isinstance(line["text"], str):
        raise DataError(f"{place}: the answer to {line['example_id']!r} is {line['text']!r}, no text. Write a text.")
    for column, value in line.items():
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise DataError(
                f"{place}: its {column} holds half a character (a lone surrogate), which no UTF-8 file can hold."
                " Write the whole character, or leave it out."
            )
    box_of(place, line)


def _text(path: Path) -> str:
    """Return the file's text without a byte order mark; raises DataError naming the line that is no UTF-8."""
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path}, line 1: is no UTF-8 (it looks like UTF-16). Save the file as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        number = content.count(b"\n", 0, problem.start) + 1
        raise DataError(f"{path}, line {number}: is no UTF-8 ({problem.reason}). Save the file as UTF-8.") from problem


def _parsed(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise DataError(f"{place}: is no JSON ({problem}). Write it again.") from problem


def _jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(_text(path).split("\n"), start=1):  # U+2028 may be part of a text
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        found = _parsed(place, line)
        if not isinstance(found, dict):
            hint = " An array of objects belongs in a .json file." if isinstance(found, list) else ""
            raise DataError(f"{place}: is no object. Write one object per line.{hint}")
        yield place, found


def _json(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    found = _parsed(str(path), _text(path))
    if not isinstance(found, list):
        raise DataError(f"{path}: is no array. Write [object, ...], or one object per line in a .jsonl file.")
    for number, line in enumerate(found, start=1):
        place = f"{path}, answer {number}"
        if not isinstance(line, dict):
            raise DataError(f"{place}: is no object. Write an object with example_id and text.")
        yield place, line


def _csv(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        names = next(reader, [])
        if len(set(names)) < len(names):
            raise DataError(f"{path}, line 1: names a column twice. Name each column once.")
        for cells in reader:
            place = f"{path}, line {reader.line_num}"
            if not cells:
                continue
            if len(cells) != len(names):
                raise DataError(f"{place}: has {len(cells)} cells, the header {len(names)}. Quote texts with commas.")
            given = zip(names, cells, strict=True)
            yield place, {name: cell for name, cell in given if cell or name in NEEDED}
    except csv.Error as problem:
        raise DataError(f"{path}, line {reader.line_num}: is no CSV ({problem}). Write it again.") from problem


def _parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    except (OSError, ValueError, pa.ArrowException) as problem:
        raise DataError(f"{path}: cannot be read as parquet ({problem}). Write it again.") from problem
    for number, line in enumerate(found, start=1):
        yield f"{path}, line {number}", line
