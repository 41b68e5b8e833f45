"""A recipe file, a setting file and `key=value` overrides -> one frozen `Recipe`; anything unknown is an error."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os.path import isfile  # False, and no OSError, for a name of 300 letters
from pathlib import Path
from typing import Annotated, Any

import yaml

from clincot.errors import RecipeError, did_you_mean
from clincot.recipe.parts import (
    Build,
    Conditioning,
    Evaluate,
    Judging,
    Lookahead,
    Margin,
    Models,
    ModelSource,
    Regions,
    Rows,
    Train,
    Views,
)
from clincot.recipe.ranges import Range
from clincot.recipe.values import build, deep_merge, parse_override, shown
from clincot.recipe.yaml_text import read_yaml
from clincot.records.lineage import content_key

__all__ = [
    "Build",
    "Conditioning",
    "Evaluate",
    "Judging",
    "Lookahead",
    "Margin",
    "Models",
    "ModelSource",
    "Regions",
    "Rows",
    "Train",
    "Views",
    "Recipe",
    "load_recipe",
    "recipe_from_yaml",
    "recipes_folder",
]


@dataclass(frozen=True)
class Recipe:
    """One run: a method and its numbers, in a setting.

    `benchmark_revision`: commit, tag or branch of its repository; empty: the commit that the benchmark names.
    `views`: image and crop reach the policy as two images, or as one `canvas` for a policy that takes only one.
    """

    name: str
    method: str
    setting: str
    benchmark: str
    models: Models
    benchmark_revision: str = ""
    hub: str = ""
    namespace: str = ""
    rounds: Annotated[int, Range(1, 1000)] = 4
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0  # NumPy's seeds, which transformers sets from it
    views: Views = "separate"
    build: Build = field(default_factory=Build)
    train: Train = field(default_factory=Train)
    evaluate: Evaluate = field(default_factory=Evaluate)

    @property
    def hash(self) -> str:
        """Content key of everything that decides a result; where it is stored (hub, namespace) does not count."""
        tree = dataclasses.asdict(self)
        return content_key({k: v for k, v in tree.items() if k not in {"hub", "namespace"}})

    def to_yaml(self) -> str:
        """Return the resolved recipe, as every round's `recipe.yaml` carries it."""
        return yaml.safe_dump(_plain(dataclasses.asdict(self)), sort_keys=False, allow_unicode=True)


def load_recipe(
    recipe: str | Path = "clincot",
    setting: str | Path = "phantom",
    *,
    benchmark: str | None = None,
    overrides: Sequence[str] = (),
) -> Recipe:
    """Read recipe and setting (a shipped name or a path), lay the setting and then the overrides over the recipe.

    What a recipe says under `always` is laid over the setting: an ablation stays one wherever it runs.
    Raises RecipeError naming the file, the key and the nearest known key.
    """
    tree = _read(recipe, recipes_folder())
    over = _mapping(_locate(setting, recipes_folder() / "settings"))
    if "extends" in over:
        raise RecipeError(f"setting {setting}: 'extends' belongs to recipes. Copy the values that differ.")
    always = tree.pop("always", {})
    if not isinstance(always, Mapping):
        raise RecipeError(f"recipe {recipe}: 'always' is a {type(always).__name__}. Write `key: value` lines below it.")
    tree = deep_merge(deep_merge(tree, over), always)
    tree.setdefault("setting", Path(str(setting)).stem)
    if benchmark:
        tree["benchmark"] = benchmark
    for text in overrides:
        tree = deep_merge(tree, parse_override(text))
    return build(Recipe, tree, f"recipe {recipe} in setting {setting}")


def recipe_from_yaml(text: str, where: str) -> Recipe:
    """Read a resolved recipe back (a round's `recipe.yaml`)."""
    return build(Recipe, read_yaml(text, where), where)


def recipes_folder() -> Path:
    """Return the folder of shipped recipes, in the wheel or in a checkout."""
    inside = Path(__file__).parents[1] / "_recipes"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "recipes"


def _read(name: str | Path, folder: Path) -> dict[str, Any]:
    """Read a file and the one that it extends; who extends without a `name` is called as the file is."""
    path = _locate(name, folder)
    tree = _mapping(path)
    if "extends" not in tree:
        return tree
    parent = tree.pop("extends")
    if not isinstance(parent, str) or not parent:
        raise RecipeError(f"{path}: extends {shown(parent)}. Give the name of one recipe: `extends: clincot`.")
    base = _mapping(_locate(parent, path.parent if isfile(path.parent / f"{parent}.yaml") else folder))
    if "extends" in base:
        raise RecipeError(
            f"{path}: extends {parent!r}, which extends another. One level is allowed; extend its parent."
        )
    return deep_merge(base, {"name": path.stem} | tree)


def _locate(name: str | Path, folder: Path) -> Path:
    direct = Path(name)
    if direct.suffix in {".yaml", ".yml"}:
        if isfile(direct):
            return direct
        raise RecipeError(f"{shown(str(name))}: no such file. Give a path that exists or a shipped name.")
    shipped = folder / f"{name}.yaml"
    if not isfile(shipped):
        known = [p.stem for p in folder.glob("*.yaml")]
        raise RecipeError(
            f"{shown(str(name))}: no such {'setting' if folder.name == 'settings' else 'recipe'}."
            f"{did_you_mean(str(name), known)}"
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


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
