"""A method's name -> its class (methods/base.py); recipe/method.py holds `METHODS`, the table to add one to."""

from __future__ import annotations

from hashlib import sha256
from inspect import getfile
from pathlib import Path
from typing import TYPE_CHECKING

from clincot.recipe.choices import choose, is_elsewhere
from clincot.recipe.method import METHODS

if TYPE_CHECKING:
    from clincot.methods.base import Method
    from clincot.recipe import Recipe

__all__ = ["METHODS", "code_key", "load", "of_recipe"]


def load(name: str) -> type[Method]:
    """Return the class of the method called `name`; raises ClincotError naming the nearest known one."""
    found: type[Method] = choose(METHODS, name, "method")
    return found


def code_key(name: str) -> tuple[str, ...]:
    """Return a digest of the file of a class that is not in the table, since nothing else says that it changed."""
    if not is_elsewhere(METHODS, name):
        return ()
    return (sha256(Path(getfile(load(name))).read_bytes()).hexdigest(),)


def of_recipe(recipe: Recipe) -> Method:
    """Return the method that the recipe names, with the recipe's numbers."""
    return load(recipe.method.name)(recipe.method.config)
