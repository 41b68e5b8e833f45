"""A folder of own data -> its files of rows by split, and their rows one after another, from JSON, CSV or parquet."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clincot.benchmarks.own.declared import Place
from clincot.benchmarks.own.inside import inside
from clincot.benchmarks.reading import batches, open_parquet
from clincot.errors import DataError
from clincot.recipe.own_data import TABLES

# The words of datasets for splits, in file and folder names and in columns.
WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
SPLITS = tuple(WORDS)
METADATA = ("metadata.jsonl", "metadata.csv")  # of datasets' imagefolder
DELIMITERS = ",;\t"  # spreadsheets write semicolons where the comma is the decimal mark
HEAD = 4096  # bytes of a JSON file that show what it holds


@dataclass(frozen=True)
class Row:
    """One row of a file: `where` names it in messages, `base` is the folder from which it names its images.

    `split` is "" where neither file nor folder says one. `fault` says why the row cannot be read at all.
    """

    where: str
    base: Path
    split: str
    values: Mapping[str, Any]
    fault: str = ""


@dataclass(frozen=True)
class _Fault:
    """Why a line of a file is no row."""

    why: str


def split_named(text: object) -> str:
    """Return train, validation or test for a word for it, "" for anything else."""
    word = str(text).strip().lower()
    return next((name for name, words in WORDS.items() if word in words), "")


def files_of(place: Place, root: Path) -> dict[str, list[Path]]:
    """Return split ("" where no name says one) -> files of rows. Raises DataError where none, or no one, is meant."""
    declared = place.declared
    if declared.table:
        named = [inside(root, root, name, f"{place.where}: table") for name in declared.table]
        absent = next((path for path in named if not path.is_file()), None)
        if absent is not None:
            raise DataError(f"{place.where}: table: there is no file {absent.name} in {root}. Correct the name.")
        return _by_split(root, named)
    if any(root.glob("*.parquet")) or any(root.glob("*/*.parquet")):
        return _parquet(root, declared.config)
    for pattern in ("", "*/", "*/*/"):
        found = sorted(path for name in METADATA for path in root.glob(f"{pattern}{name}"))
        if found:
            return _by_split(root, found)
    found = [path for path in sorted(root.iterdir()) if path.suffix in TABLES and _holds_rows(path)]
    by_split = _by_split(root, found)
    if not found or len(by_split.get("", ())) > 1:
        names = ", ".join(path.name for path in found)
        what = f"has several files of rows ({names})" if found else "has no file of rows"
        raise DataError(
            f"{root}: {what}. Put a metadata.jsonl there, with a file_name, a question and an answer in each line, or"
            f" name the file in {place.where}: `table: rows.jsonl`."
        )
    return by_split


def rows_of(root: Path, split: str, file: Path) -> Iterator[Row]:
    """Yield the rows of a file in its order; lines that are no rows have a fault. Raises DataError for other files."""
    name = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
    reader = {".jsonl": _json_lines, ".csv": _csv, ".json": _json, ".parquet": _parquet_rows}.get(file.suffix)
    if reader is None:
        raise DataError(f"{name}: is no file of rows. Give one that ends in {', '.join(TABLES)}.")
    try:
        for number, (own, values) in enumerate(reader(file)):
            fault = "" if isinstance(values, dict) else f"is no row of columns ({_why(values)})"
            yield Row(f"{name} row {number + 1}", file.parent, own or split, {} if fault else values, fault)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{name}: cannot be read ({error}). Write it as UTF-8 text.") from error


def _by_split(root: Path, files: Sequence[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in files:
        parts = path.relative_to(root).with_suffix("").parts
        words = [word for part in reversed(parts) for word in re.split(r"[^a-z]+", part.lower())]
        found.setdefault(next(filter(None, map(split_named, words)), ""), []).append(path)
    return found


def _parquet(root: Path, config: str) -> dict[str, list[Path]]:
    """Return the files of a dataset as it is on a Hub: datasets reads its card and the names of its files."""
    from datasets import load_dataset_builder

    try:
        builder = load_dataset_builder(str(root), name=config or None)
    except ValueError as error:
        said = str(error).splitlines()[0]
        raise DataError(f"{root}: {said[:300]} Name one: `config: NAME` in clincot.yaml.") from error
    files = {str(split): [Path(file) for file in paths] for split, paths in (builder.config.data_files or {}).items()}
    known = {split_named(split): paths for split, paths in files.items() if split_named(split)}
    return known or {"": [path for paths in files.values() for path in paths]}


def _holds_rows(path: Path) -> bool:
    if path.suffix != ".json":
        return True
    with path.open("rb") as opened:
        head = opened.read(HEAD).decode("utf-8-sig", errors="replace").lstrip()
    first = re.match(r'\{\s*"(\w+)"\s*:\s*\[', head)
    return head.startswith("[") or bool(first and split_named(first[1]))


def _why(values: Any) -> str:
    return values.why if isinstance(values, _Fault) else f"{values!r:.60}"


Values = Iterator[tuple[str, Any]]  # split that the file itself gives, and the row


def _json_lines(file: Path) -> Values:
    with file.open(encoding="utf-8-sig") as opened:
        for line in opened:
            if line.strip():
                try:
                    yield "", json.loads(line)
                except ValueError as error:
                    yield "", _Fault(f"no JSON: {error}")


def _json(file: Path) -> Values:
    try:
        tree = json.loads(file.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise DataError(f"{file}: is not JSON ({error}). Write a list of rows, or one row a line as .jsonl.") from error
    if isinstance(tree, dict) and tree and all(split_named(k) and isinstance(v, list) for k, v in tree.items()):
        for key, rows in tree.items():
            yield from ((split_named(key), row) for row in rows)
    elif isinstance(tree, list):
        yield from (("", row) for row in tree)
    else:
        raise DataError(f"{file}: is no list of rows. Write [{{...}}, ...], or lists under train, validation and test.")


def _csv(file: Path) -> Values:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        header = opened.readline()
        opened.seek(0)
        reader = csv.DictReader(opened, delimiter=max(DELIMITERS, key=header.count))
        names = [name for name in reader.fieldnames or () if name]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(
                f"{file.name}: has several columns called {', '.join(twice)}. Rename or remove all but one."
            )
        for row in reader:
            yield "", _Fault("more cells than columns") if None in row else row


def _parquet_rows(file: Path) -> Values:
    yield from (("", row) for row in batches(open_parquet(file), file))
