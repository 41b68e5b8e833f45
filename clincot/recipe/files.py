"""The name or path of a recipe, a setting or a hardware file -> its values, before they are laid over one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import isfile  # False, and no OSError, for a name of 300 letters
from pathlib import Path
from typing import Any

from clincot.errors import RecipeError, did_you_mean
from clincot.recipe.moved import refuse_moved
from clincot.recipe.values import shown
from clincot.recipe.yaml_text import read_yaml

LEVELS = 2  # a variant of a method's recipe, which extends what all methods share
FOLDERS = {"setting": "settings", "hardware": "hardware"}


def recipes_folder() -> Path:
    """Return the folder of shipped recipes, in the wheel or in a checkout."""
    inside = Path(__file__).parents[1] / "_recipes"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "recipes"


@dataclass(frozen=True)
class Layer:
    """Values that are laid over others; `origin` names their file or option, `path` is the file's."""

    values: dict[str, Any]
    origin: str
    path: str = ""


def read_recipe(name: str | Path) -> tuple[list[Layer], list[Layer]]:
    """Return a recipe's layers, the one that it extends first, and what they say under `always`."""
    layers = _read(name, recipes_folder())
    always = [_always(layer, f"recipe {name}") for layer in layers]
    for one in (*layers, *always):
        refuse_moved(one.values, f"recipe {name}")
    return layers, always


def read_over(kind: str, name: str | Path) -> Layer:
    """Read a file of the folder `settings` or `hardware`, or of a user."""
    path = _locate(name, recipes_folder() / FOLDERS[kind])
    tree = _mapping(path)
    if "extends" in tree:
        raise RecipeError(f"{kind} {name}: 'extends' belongs to recipes. Copy the values that differ.")
    refuse_moved(tree, f"{kind} {name}")
    return Layer(tree, f"{kind} {path.stem}", str(path))


def _always(layer: Layer, where: str) -> Layer:
    """Take `always` out of a layer of a recipe and return it."""
    own = layer.values.pop("always", {})
    if not isinstance(own, Mapping):
        raise RecipeError(f"{where}: 'always' is a {type(own).__name__}. Write `key: value` lines below it.")
    return Layer(dict(own), f"{layer.origin} (always)", layer.path)


def _read(name: str | Path, folder: Path, levels: int = LEVELS) -> list[Layer]:
    """Read the files that this one extends, the farthest first, then it; without a `name` it is called as its file.

    `levels`: how many more files may be extended.
    """
    path = _locate(name, folder)
    tree = _mapping(path)
    if "extends" not in tree:
        return [_recipe(tree, path)]
    parent = tree.pop("extends")
    if not isinstance(parent, str) or not parent:
        raise RecipeError(f"{path}: extends {shown(parent)}. Give the name of one recipe: `extends: clincot`.")
    if not levels:
        raise RecipeError(
            f"{path}: extends {parent!r}, and is itself extended by one that another extends. {LEVELS} levels are"
            " allowed; extend its parent."
        )
    beside = path.parent / f"{parent}.yaml"
    above = _read(beside if isfile(beside) else parent, folder, levels - 1)
    return [*above, _recipe({"name": path.stem} | tree, path)]


def _recipe(tree: dict[str, Any], path: Path) -> Layer:
    return Layer(tree, f"recipe {path.stem}", str(path))


def _locate(name: str | Path, folder: Path) -> Path:
    direct = Path(name)
    if direct.suffix in {".yaml", ".yml"}:
        if isfile(direct):
            return direct
        raise RecipeError(f"{shown(str(name))}: no such file. Give a path that exists or a shipped name.")
    shipped = folder / f"{name}.yaml"
    if not isfile(shipped):
        known = [p.stem for p in folder.glob("*.yaml")]
        here = f" Give {name}.yaml for the file in this folder." if isfile(f"{name}.yaml") else ""
        raise RecipeError(
            f"{shown(str(name))}: no such {next((k for k, v in FOLDERS.items() if v == folder.name), 'recipe')}."
            f"{here or did_you_mean(str(name), known)}"
        )
    return shipped


def _mapping(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML ({error}). Give a UTF-8 text file.") from error
    tree = read_yaml(text, str(path)) or {}
    if not isinstance(tree, Mapping):
        raise RecipeError(f"{path}: is a {type(tree).__name__}, not a mapping. Write `key: value` lines.")
    return dict(tree)
