"""The columns of a row and a format -> an error for rows of another format, and the columns that nobody reads."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from clincot.errors import DataError, did_you_mean
from clincot.rows import formats
from clincot.rows.formats.base import Format, UnfitRow, fits

Row = Mapping[str, Any]
OURS = "side_images"
NEAR = 0.8  # how much of a name must be that of a column for it to count as misspelt


def check_first(row: Row, form: Format) -> None:
    """Raise DataError where the first row is not of the format, or a column is a misspelt one."""
    if OURS in row:
        raise DataError(
            "holds rows of a round of clincot. Train its run by --name, or write it in another format with"
            " `clincot export-rows`."
        )
    if not fits(form, row):
        other = _other(row, form)
        if other:
            raise DataError(f"looks like {other}, not {form.name}. Give --format {other}.")
        lacking = _lacking(row, form)
        near = did_you_mean(lacking, row) if row else ""
        raise DataError(f"has no {lacking!r}, which {form.title} needs. Its columns: {', '.join(row)}.{near}")
    known = set().union(*form.needs, form.knows) - set(row)
    for name in unread(row, form):
        meant = get_close_matches(name, sorted(known), n=1, cutoff=NEAR)
        if meant:
            raise DataError(f"column {name!r} is not known. Did you mean {meant[0]!r}? Rename or remove it.")


def check_columns(row: Row, form: Format) -> None:
    """Raise UnfitRow for a row between others that is not of the format."""
    if not fits(form, row):
        other = _other(row, form)
        raise UnfitRow(f"that look like {other}" if other else f"without {_lacking(row, form)!r}")


def unread(row: Row, form: Format) -> set[str]:
    """Return the columns that the format does not know."""
    return set(row) - set().union(*form.needs, form.knows)


def _other(row: Row, form: Format) -> str:
    """Return the format that has more of the row's columns than `form`, "" where none fits."""
    fitting = [name for name in formats.FORMATS if name != form.name and fits(formats.load(name), row)]
    return min(fitting, key=lambda name: len(unread(row, formats.load(name))), default="")


def _lacking(row: Row, form: Format) -> str:
    nearest = min(form.needs, key=lambda needed: (len(needed - set(row)), sorted(needed)))
    return min(nearest - set(row))
