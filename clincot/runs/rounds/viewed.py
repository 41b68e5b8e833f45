"""A round of the run, a dataset of a Hub or a folder of its files -> a page to look through its preference pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clincot.errors import DiskFull
from clincot.records.atomic import new_folder
from clincot.report.view.entries import Shown, entries
from clincot.report.view.page import write_page
from clincot.runs.rounds.viewed_source import ViewedSource, find_source
from clincot.runs.run import Run


@dataclass(frozen=True)
class Viewed:
    """A page that was written: its index.html, the number of its pairs, and what it shows."""

    page: Path
    pairs: int
    source: ViewedSource

    @property
    def sealed(self) -> bool:
        """Whether the page must stay on this machine."""
        return self.source.sealed


def view_round(run: Run, source: str, out: Path, check: Callable[[ViewedSource], None] | None = None) -> Viewed:
    """Write the page of `source` (a round, REPO@REV or a folder of a dataset) to the folder `out`, new or empty.

    `check` sees what was found before the work begins. Raises RoundError, NotOnHub or DataError for what is absent or
    holds no pairs with images.
    """
    found = find_source(run, source)
    if check is not None:
        check(found)
    around, maps = found.around(), found.maps()

    def build(keep: Callable[[bytes], Shown]) -> Iterator[dict[str, Any]]:
        return entries(found.rows(), around, keep)

    try:
        with new_folder(out) as partial:
            count = write_page(partial, found.heading(maps=bool(maps)), build, maps)
    except OSError as error:
        raise DiskFull(
            f"{out}: cannot be written ({error.strerror or error}). Free space or name another folder."
        ) from error
    return Viewed(out / "index.html", count, found)
