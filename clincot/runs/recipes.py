"""The name of a recipe -> a file of a new one that extends it, in a folder of the user."""

from __future__ import annotations

from pathlib import Path

from clincot.errors import RecipeError
from clincot.hub.names import RULE, name_fault
from clincot.recipe.files import recipes_folder
from clincot.recipe.starting import starting_text


def new_recipe(name: str, extends: str, folder: Path) -> Path:
    """Write `folder`/NAME.yaml, which extends the recipe `extends` and changes none of its values; return its path.

    Raises RecipeError for a name that no run can have, that a shipped recipe has, or whose file exists.
    """
    fault = name_fault(name)
    if not fault and name.endswith((".yaml", ".yml")):
        raise RecipeError(f"{name!r}: is the name of a file. Give the recipe's, {Path(name).stem}.")
    if fault:
        raise RecipeError(f"{name[:80]!r}: is not the name of a recipe, it {fault}. {RULE}")
    if (recipes_folder() / f"{name}.yaml").is_file():
        raise RecipeError(f"{name!r}: is the name of a shipped recipe. Give another one.")
    path = folder / f"{name}.yaml"
    text = starting_text(name, extends, folder)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise RecipeError(f"{path}: exists. Give another name, or delete it.") from error
    except OSError as error:
        raise RecipeError(f"{path}: cannot be written ({error.strerror}). Go to another folder.") from error
    return path
