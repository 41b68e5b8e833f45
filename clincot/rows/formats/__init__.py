"""Rows of preference data as other projects write them <-> pairs; `FORMATS` is the table to add a format to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clincot.recipe.choices import choose
from clincot.recipe.plugins import Table

if TYPE_CHECKING:
    from clincot.rows.formats.base import Format

FORMATS = Table(
    "formats",
    {
        "trl": "clincot.rows.formats.trl:Trl",
        "swift": "clincot.rows.formats.swift:Swift",
        "llamafactory": "clincot.rows.formats.llamafactory:LlamaFactory",
        "llava": "clincot.rows.formats.llava:Llava",
        "mmedpo": "clincot.rows.formats.mmedpo:MMedPO",
    },
)


def load(name: str) -> Format:
    """Return the format called `name`, or a class elsewhere; raises ClincotError naming the nearest known one."""
    found: Format = choose(FORMATS, name, "--format")()
    return found
