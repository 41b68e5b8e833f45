"""Examples -> candidates and preference pairs, one class a method; `METHODS` in recipe/method.py is the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clincot.recipe.choices import check_parts, choose
from clincot.recipe.method import METHODS

if TYPE_CHECKING:
    from clincot.methods.base import Method
    from clincot.recipe import Recipe

PARTS = ("name", "title", "paper", "needs", "on_policy", "sample", "pair", "facts")  # Config is looked at by the recipe

__all__ = ["METHODS", "load", "of_recipe"]


def load(name: str) -> type[Method]:
    """Return the class of the method called `name`; raises ClincotError for an unknown or incomplete one."""
    found: type[Method] = choose(METHODS, name, "method")
    check_parts(found, PARTS, f"method {name!r}")
    return found


def of_recipe(recipe: Recipe) -> Method:
    """Return the method that the recipe names, with the recipe's numbers."""
    return load(recipe.method.name)(recipe.method.config)
