"""Methods by name: each turns one example into preference pairs; one file and one line here make a new one."""

from __future__ import annotations

from importlib import import_module

from clincot.errors import ClincotError, did_you_mean
from clincot.methods.base import Method

METHODS = {"clincot": "clincot.methods.clincot:pairs"}


def load(name: str) -> Method:
    """Return the method called `name`; raises ClincotError naming the nearest."""
    if name not in METHODS:
        raise ClincotError(f"method {name!r}: is not known.{did_you_mean(name, METHODS)}")
    module, _, attribute = METHODS[name].partition(":")
    return getattr(import_module(module), attribute)
