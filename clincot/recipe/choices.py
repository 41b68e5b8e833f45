"""A plug point's table and a name -> the class or function it names, or an error with the nearest known name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from clincot.errors import ClincotError, did_you_mean


def check(table: Mapping[str, str], name: str, what: str) -> None:
    """Raise ClincotError unless `table` knows `name`; `what` is the key or option that gave it."""
    if name not in table:
        raise ClincotError(f"{what} {name!r}: is not known.{did_you_mean(name, table)}")


def choose(table: Mapping[str, str], name: str, what: str) -> Any:
    """Import and return what `table` calls `name` ("module:attribute"); raises as `check` does."""
    check(table, name, what)
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)
