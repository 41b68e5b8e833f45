"""A method's name -> the coroutine function that turns one example into pairs; `METHODS` is the table to add one to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clincot.recipe.choices import choose

if TYPE_CHECKING:
    from clincot.methods.base import Method

METHODS = {"clincot": "clincot.methods.clincot:pairs"}


def load(name: str) -> Method:
    """Return the method called `name`; raises ClincotError naming the nearest known one."""
    return choose(METHODS, name, "method")
