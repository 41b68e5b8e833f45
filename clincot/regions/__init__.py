"""The name of a proposer and a folder -> the proposer; `PROPOSERS` is the table to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clincot.choices import choose
from clincot.regions.base import Proposer

PROPOSERS = {
    "query_grounder": "clincot.regions.query_grounder:QueryGrounder",
}


def load(kind: str, folder: str | Path, **options: Any) -> Proposer:
    """Load the proposer `kind` from `folder`; `options` go to its `from_pretrained`.

    Raises ClincotError for an unknown or missing kind: no kind is the default, since a folder does not tell its own.
    """
    return choose(PROPOSERS, kind, "models.proposer.kind").from_pretrained(folder, **options)
