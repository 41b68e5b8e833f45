"""A method's name -> its class (methods/base.py); `METHODS` is the table to add one to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clincot.recipe.choices import choose

if TYPE_CHECKING:
    from clincot.methods.base import Method
    from clincot.recipe import Recipe

METHODS = {"clincot": "clincot.methods.clincot:ClinCoT"}


def load(name: str) -> type[Method]:
    """Return the class of the method called `name`; raises ClincotError naming the nearest known one."""
    found: type[Method] = choose(METHODS, name, "method")
    return found


def of_recipe(recipe: Recipe) -> Method:
    """Return the method that the recipe names, with the recipe's numbers."""
    method = load(recipe.method)
    return method(method.Config(**{name: getattr(recipe.build, name) for name in method.Config.__dataclass_fields__}))  # type: ignore[attr-defined]
