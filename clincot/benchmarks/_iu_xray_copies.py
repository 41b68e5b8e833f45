"""A folder of parquet files, some public copy of IU-Xray -> its rows by declared columns, and the images of some.

No two copies agree, and none documents its schema, so columns are recognised by name (first of each list that exists).
What is known of them: ykumards/open-i has uid, findings, img_frontal, img_lateral; X-iZhang/IU-Xray-RRG main_image and
findings_section; others image and text. Images come as Hub image cells, plain bytes or base64 text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clincot.benchmarks._r2gen import Row
from clincot.benchmarks.reading import batches, open_parquet
from clincot.errors import DataError

TEXTS = ("findings", "findings_section", "report", "text", "caption")
IDS = ("uid", "study_id", "id", "image_id", "filename", "file_name", "image_path", "path", "name")
FRONTALS = ("img_frontal", "frontal", "main_image", "image", "images")
LATERALS = ("img_lateral", "lateral", "lateral_image")
# A plain number in these is the report's; in any other column it may as well be the row's.
NUMBERED = ("uid", "study_id")
SPLITS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}


@dataclass(frozen=True)
class Layout:
    """Which columns hold what; `id` and `lateral` may be missing."""

    text: str
    frontal: str
    id: str | None
    lateral: str | None


@dataclass(frozen=True)
class Part:
    """A parquet file of the copy and where its rows begin among all rows."""

    file: Path
    layout: Layout
    start: int


@dataclass(frozen=True)
class Copy:
    """The files of a copy with their rows; `rows` carry no images."""

    parts: tuple[Part, ...]
    rows: tuple[Row, ...]

    def images(self, wanted: Sequence[int], *, lateral: bool) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the wanted rows in the order of the copy, each with its images, frontal first; none without frontal.

        Only the row groups that hold a wanted row are read, and of a column for laterals only with `lateral`.
        """
        for part in self.parts:
            yield from _pictures(part, set(wanted), lateral)


def read_copy(folder: Path) -> Copy:
    """Read ids and texts of every parquet file below `folder`; raises DataError where there is nothing to read."""
    parts: list[Part] = []
    rows: list[Row] = []
    for file in sorted(folder.rglob("*.parquet")):
        if "impression" in file.relative_to(folder).as_posix():  # a config with other references
            continue
        opened = open_parquet(file)
        layout = layout_of(opened.schema_arrow.names, file.name)
        parts.append(Part(file, layout, len(rows)))
        split = _split(file.relative_to(folder))
        columns = [layout.text, *([layout.id] if layout.id else _path_of(opened, layout))]
        rows += [_row(row, layout, split) for row in batches(opened, file, columns=columns)]
    if not parts:
        raise DataError(f"iu-xray: no parquet file in {folder}. Pull the dataset again.")
    return Copy(tuple(parts), tuple(rows))


def _split(file: Path) -> str:
    """Return the split named by the file, else by its folder ("test/0000.parquet"); "" where neither names one."""
    named = (name.partition("-")[0] for name in (file.stem, file.parent.name))
    return next((SPLITS[name] for name in named if name in SPLITS), "")


def layout_of(names: Sequence[str], where: str) -> Layout:
    """Choose the columns; raises DataError when none holds findings or none holds images."""

    def first(wanted: Sequence[str]) -> str | None:
        return next((name for name in wanted if name in names), None)

    text, frontal = first(TEXTS), first(FRONTALS)
    if text is None or frontal is None:
        what = f"findings ({', '.join(TEXTS)})" if text is None else f"images ({', '.join(FRONTALS)})"
        raise DataError(
            f"iu-xray: {where} has no column of {what}; it has {', '.join(names)}. Rename the column, or use another"
            " copy of the collection."
        )
    return Layout(text, frontal, first(IDS), first(LATERALS))


def _path_of(opened: Any, layout: Layout) -> list[str]:
    """Return the leaf that holds the image's file name, without its bytes, where there is one."""
    leaf = f"{layout.frontal}.path"
    return [leaf] if leaf in (opened.schema.column(i).path for i in range(len(opened.schema))) else []


def _row(row: dict[str, Any], layout: Layout, split: str) -> Row:
    return Row(_id(row, layout), _text(row[layout.text]), split)


def _id(row: dict[str, Any], layout: Layout) -> str | None:
    if layout.id is None:
        cell = row.get(layout.frontal)
        return cell["path"] if cell else None
    value = row[layout.id]
    plain = isinstance(value, int | float) or str(value).strip().isdigit()
    return None if value is None or (plain and layout.id not in NUMBERED) else str(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""  # studies with an impression only have null or NaN here


def _pictures(part: Part, wanted: set[int], lateral: bool) -> Iterator[tuple[int, list[bytes]]]:
    opened = open_parquet(part.file)
    columns = [part.layout.frontal, *([part.layout.lateral] if lateral and part.layout.lateral else [])]
    start = part.start
    for group in range(opened.num_row_groups):
        numbers = range(start, start := start + opened.metadata.row_group(group).num_rows)
        if wanted.isdisjoint(numbers):
            continue
        rows = batches(opened, part.file, columns=columns, row_groups=[group])
        for number, row in zip(numbers, rows, strict=True):
            if number in wanted:
                yield number, _views([row[name] for name in columns], part.file)


def _views(cells: Sequence[Any], file: Path) -> list[bytes]:
    """Return the images of a row's cells, one or a list each; a lateral never takes a missing frontal's place."""
    flat = [entry for cell in cells for entry in (cell if isinstance(cell, list) else [cell])]
    views = [_bytes(entry, file) for entry in flat]
    return [data for data in views if data] if views and views[0] else []


def _bytes(cell: Any, file: Path) -> bytes | None:
    """Return the image in a Hub image, bytes or base64 text; None where the cell is empty."""
    if isinstance(cell, dict):
        cell = cell.get("bytes")
    if not isinstance(cell, str):
        return cell
    try:
        return base64.b64decode(cell, validate=True)
    except binascii.Error as error:
        raise DataError(
            f"iu-xray: {file.name} holds names of image files, not images ({cell[:40]!r}). Use a copy that embeds"
            " its images."
        ) from error
