"""A recipe -> its roles that servers answer for, or an error; no library of models is imported."""

from __future__ import annotations

from clincot.errors import RecipeError
from clincot.recipe import ModelSource, Recipe
from clincot.runs.roles import sources_of


def served_roles(recipe: Recipe) -> dict[str, ModelSource]:
    """Return the models on servers by the names of their pins. Raises RecipeError where no role has one."""
    found = {role: source for role, source in sources_of(recipe).items() if source.endpoint}
    if not found:
        raise RecipeError(
            f"recipe {recipe.name} in setting {recipe.setting}: no role has a server. Set models.policy.kind=openai and"
            " models.policy.endpoint=http://HOST:PORT/v1, or give --hardware served-cpu or another of recipes/hardware."
        )
    return found
