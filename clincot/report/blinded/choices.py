"""Files that readers send back (JSON or CSV) -> the choices of each reader, checked against the key of the sheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clincot.errors import DataError
from clincot.report.blinded.items import Key

FORMAT = "clincot-choices-1"
CHOICES = ("A", "B", "same", "unsure")
COLUMNS = ("sheet", "reader", "item", "choice")
SEND = "Ask the reader for the file that the sheet's `Download choices` writes."


@dataclass(frozen=True)
class Reader:
    """What one reader chose: `choices` by the number of the item, `first`, `second` or `same`; `unsure` are counted."""

    name: str
    choices: Mapping[int, str]
    unsure: int


def read_choices(paths: Sequence[Path], key: Key) -> list[Reader]:
    """Read the files of all readers; a file holds one reader, whose name is that of the file where none is given.

    Raises DataError for a file that is damaged, of another sheet, or names an item or a reader twice.
    """
    readers = [_read(path, key) for path in paths]
    names = [reader.name for reader in readers]
    for path, name in zip(paths, names, strict=True):
        if names.count(name) > 1:
            raise DataError(f"{path}: another file is by {name!r} too. Give one file a reader, or name them apart.")
    return readers


def _read(path: Path, key: Key) -> Reader:
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(_of_json(text) if text.lstrip().startswith("{") else _of_csv(text))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}). {SEND}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise DataError(f"{path}: holds no choices of a sheet ({error}). {SEND}") from error
    if not rows:
        raise DataError(f"{path}: holds no choice. {SEND}")
    return _checked(path, rows, key)


def _of_json(text: str) -> Iterable[Mapping[str, str]]:
    found: dict[str, Any] = json.loads(text)
    if found["format"] != FORMAT:
        raise ValueError(f"format {found['format']!r}")
    for one in found["choices"]:
        yield {"sheet": found["sheet"], "reader": found["reader"], "item": one["item"], "choice": one["choice"]}


def _of_csv(text: str) -> Iterable[Mapping[str, str]]:
    rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise ValueError(f"no column {', '.join(missing)}")
    return rows


def _checked(path: Path, rows: Sequence[Mapping[str, str]], key: Key) -> Reader:
    letters = {entry.number: entry.first for entry in key.entries}
    chosen: dict[int, str] = {}
    for row in rows:
        if row["sheet"] != key.sheet:
            raise DataError(f"{path}: is of sheet {row['sheet']!r}, the key is of {key.sheet!r}. Give the other key.")
        number = int(row["item"]) if str(row["item"]).strip().isdecimal() else 0
        if number not in letters:
            raise DataError(f"{path}: item {row['item']!r}: the sheet has items 1 to {len(letters)}. {SEND}")
        if number in chosen:
            raise DataError(f"{path}: item {number}: is there twice. Keep one choice.")
        if row["choice"] not in CHOICES:
            raise DataError(f"{path}: item {number}: choice {row['choice']!r}. Give one of {', '.join(CHOICES)}.")
        chosen[number] = row["choice"]
    names = sorted({str(row["reader"] or "").strip() for row in rows})
    if len(names) > 1:
        raise DataError(f"{path}: holds choices of {len(names)} readers. Give one file a reader.")
    preferred = {
        number: choice if choice == "same" else "first" if choice == letters[number] else "second"
        for number, choice in chosen.items()
        if choice != "unsure"
    }
    return Reader(names[0] or path.stem, preferred, len(chosen) - len(preferred))
