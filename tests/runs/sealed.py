"""A stand-in for a benchmark that may not be passed on: drawn phantoms whose reference texts are known by sight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from clincot.benchmarks.base import Source
from clincot.benchmarks.phantom import Phantom
from clincot.records import Example

MARK = "as the reference of the sealed benchmark says"


class Sealed(Phantom):
    """The phantom under CC BY-NC-ND: every answer ends with the mark, so that no model writes it by itself."""

    source = Source(
        name="sealed",
        repo="someone/sealed",
        revision="main",
        licence="cc-by-nc-nd-4.0",
        redistributable=False,
        modality="phantom",
        privacy="public",
    )

    def examples(self, folder: Path, split: str) -> list[Example]:
        return super().examples(folder, split)

    def _example(self, row: dict[str, Any], kept: dict[str, bytes]) -> Example:
        example = super()._example(row, kept)
        return replace(example, answer=f"{example.answer} {MARK}", reference=f"{example.reference} {MARK} {row['id']}")
