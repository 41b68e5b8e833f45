"""What is declared as primary, and the images of a row by column -> these images with the primary one first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clincot.benchmarks.own.images import ImageBook, Kept
from clincot.benchmarks.own.questions import Unusable
from clincot.benchmarks.own.tables import Row
from clincot.errors import DataError, did_you_mean


def check_primary(primary: str, columns: Sequence[str], where: str) -> None:
    """Raise DataError unless `primary` is a column of images, a number from 1, or left out."""
    if not primary or primary in columns or (primary.isdecimal() and int(primary) > 0):
        return
    if primary.lstrip("-").isdecimal():
        raise DataError(f"{where}: primary: {primary}: images of a row are counted from 1. Give a number from 1.")
    raise DataError(
        f"{where}: primary: no column of images is called {primary!r}.{did_you_mean(primary, columns)} Or give the"
        " number of the image in its row, from 1."
    )


def images_of(row: Row, columns: Sequence[str], primary: str, book: ImageBook) -> tuple[Kept, ...]:
    """Return the images of a row, the primary one first and the others in their order.

    Without `primary` that is the first image, or of several columns the one of the first column. Raises Unusable for a
    row without it, and for an image that is not there.
    """
    found = [(column, kept) for column in columns for kept in book.keep(_cell(row.values, column), row)]
    if not found:
        raise Unusable("it names no image")
    place = _place([column for column, _ in found], primary or (columns[0] if len(columns) > 1 else "1"))
    return (found[place][1], *(kept for number, (_, kept) in enumerate(found) if number != place))


def _place(columns: Sequence[str], primary: str) -> int:
    """Return the place of the primary image; `columns` are those of the row's images."""
    if primary in columns:
        return columns.index(primary)
    if not primary.isdecimal():
        raise Unusable(f"it has no image in {primary}, the primary one")
    if int(primary) > len(columns):
        has = f"{len(columns)} images" if len(columns) > 1 else "one image"
        raise Unusable(f"it has {has}, and the primary one is number {primary}")
    return int(primary) - 1


def _cell(values: Mapping[str, Any], column: str) -> Any:
    """Return a cell; None for an empty one, as a table without gaps writes it: a row may have fewer images."""
    cell = values.get(column)
    empty = cell is None or (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and cell != cell)
    return None if empty else cell
