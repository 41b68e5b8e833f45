"""The contract of a format: a row of its files -> a pair, or why it is no pair; a pair -> a row of its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from clincot.errors import DataError
from clincot.records import Message

Row = Mapping[str, Any]


class UnfitRow(DataError):
    """A row that is no pair of its format; `reason` reads after "rows", and equal reasons are counted together."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True)
class OtherPair:
    """A pair as other projects know it.

    The images of a side are `images`, which both share, then its own. `prompt` has a text for each turn, or blocks with
    one image block for each image of a side. Images are what the file gives: a path or a struct of bytes and path; to
    `write` they are what the new file is to hold. `weight` and `margin` are None where the row does not say.
    """

    prompt: tuple[Message, ...]
    images: tuple[Any, ...]
    chosen: str
    rejected: str
    chosen_images: tuple[Any, ...] = ()
    rejected_images: tuple[Any, ...] = ()
    weight: float | None = None
    margin: float | None = None


class Format(Protocol):
    """How one project writes preference rows.

    `needs`: a row that has every column of one of these sets is of this format. `knows` are the other columns that it
    reads, or that are names and numbers of no account. `per_side`: each side may have its own images. `embeds`: its
    files hold the bytes of images; else their paths. `in_text`: images may come between texts. `leaks`: its texts are
    known to repeat prompts they were written by, and rows that do are left out.
    """

    name: str
    title: str
    needs: tuple[frozenset[str], ...]
    knows: frozenset[str]
    per_side: bool
    embeds: bool
    in_text: bool
    leaks: bool

    def read(self, row: Row) -> OtherPair:
        """Return the pair of a row. Raises UnfitRow."""
        ...

    def write(self, pair: OtherPair, number: int) -> dict[str, Any]:
        """Return the row of a pair, whose images are as this format's files hold them; `number` counts from 0."""
        ...

    def save(self, rows: Iterable[dict[str, Any]], folder: Path) -> None:
        """Write the rows, and what loads them, into `folder`."""
        ...

    def use(self, folder: Path) -> str:
        """Return a line of code, or of a shell, that reads what `save` wrote."""
        ...


def fits(form: Format, columns: Iterable[str]) -> bool:
    """Return whether a row with these columns is of the format."""
    present = set(columns)
    return any(needed <= present for needed in form.needs)
