"""A veto file, written by the page of `clincot view` -> the ids of pairs to leave out, before a run is opened."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from clincot.errors import DataError

FORMAT = "clincot-veto-1"
MAKE = "Mark pairs on the page of `clincot view ROUND` and download its veto file."


@dataclass(frozen=True)
class Vetoes:
    """The pairs that a reader vetoed: their ids, and the number of the round that the file names (None: it does not).

    What a reader wrote about a pair stays in the file: free text may name a patient.
    """

    file: str
    ids: frozenset[str] = field(repr=False)
    round: int | None = None


NOTHING = Vetoes("", frozenset())


def read_vetoes(path: Path) -> Vetoes:
    """Read a veto file. Raises DataError for a file that is absent, of another format, or names no pair."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}). {MAKE}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no veto file ({error}). {MAKE}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DataError(f"{path}: is no veto file: it has no format {FORMAT!r}. {MAKE}")
    listed, number = found.get("pairs"), found.get("round")
    entries = listed if isinstance(listed, list) else []
    ids = [one["id"] for one in entries if isinstance(one, dict) and isinstance(one.get("id"), str)]
    if not ids or len(ids) < len(entries):
        raise DataError(f"{path}: names no pair, or one without an id. {MAKE}")
    if number is not None and type(number) is not int:
        raise DataError(f"{path}: its round is {number!r}, which is no number. {MAKE}")
    return Vetoes(str(path), frozenset(ids), number)
