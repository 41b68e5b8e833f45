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
from clincot.recipe.load import Load, without_defaults
from clincot.recipe.method import MethodChoice, choice_of, layered
from clincot.recipe.moved import refuse_moved, with_new_names
from clincot.recipe.parts import (
    BatchLayout,
    Build,
    Conditioning,
    Evaluate,
    ImageFit,
    ImageLayout,
    Judging,
    Look,
    Margin,
    Models,
    ModelSource,
    Regions,
    Train,
)
from clincot.recipe.ranges import Range
from clincot.recipe.values import SHOWN, build, deep_merge, parse_override, shown
from clincot.recipe.yaml_text import read_yaml
from clincot.records.lineage import content_key

__all__ = [
    "BatchLayout",
    "Build",
    "Conditioning",
    "Evaluate",
    "ImageFit",
    "ImageLayout",
    "Judging",
    "Load",
    "Look",
    "Margin",
    "MethodChoice",
    "Models",
    "ModelSource",
    "Regions",
    "Train",
    "Recipe",
    "load_recipe",
    "recipe_from_yaml",
    "recipes_folder",
]


@dataclass(frozen=True)
class Recipe:
    """One run: a method and its numbers, in a setting.

    `benchmark_revision`: commit, tag or branch of its repository; empty: the commit that the benchmark names.
    `image_layout`: image and crop reach the policy as two images, or as one `canvas` for a policy that takes only one.
    `image_fit`: how images become the square that the policy's tower reads: as its own processor does, on a square of
    the mean colour, stretched, or their middle.
    """

    name: str
    method: MethodChoice
    setting: str
    benchmark: str
    models: Models
    benchmark_revision: str = ""
    hub: str = ""
    namespace: str = ""
    rounds: Annotated[int, Range(1, 1000)] = 4
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0  # NumPy's seeds, which transformers sets from it
    image_layout: ImageLayout = "separate"
    image_fit: ImageFit = "as_is"
    build: Build = field(default_factory=Build)
    train: Train = field(default_factory=Train)
    evaluate: Evaluate = field(default_factory=Evaluate)

    @property
    def hash(self) -> str:
        """Content key of everything that decides a result; where it is stored (hub, namespace) does not count."""
        return content_key({k: v for k, v in self.decided().items() if k not in {"hub", "namespace"}})

    @property
    def inference_steps(self) -> int:
        """Return how many texts inference by region writes for a question."""
        return self.evaluate.steps or self.method.steps

    @property
    def inference_hypotheses(self) -> int:
        """Return how many hypotheses of an image inference by region looks for."""
        return self.evaluate.hypotheses or self.method.hypotheses

    @property
    def fit_key(self) -> tuple[str, ...]:
        """Return what `image_fit` adds to content keys: nothing by default, as keys were before it."""
        return () if self.image_fit == "as_is" else (f"image_fit {self.image_fit}",)

    @property
    def fit_facts(self) -> dict[str, str]:
        """Return what lineages say of `image_fit`: nothing by default."""
        return {} if self.image_fit == "as_is" else {"image_fit": self.image_fit}

    def tree(self) -> dict[str, Any]:
        """Return all values as plain nested mappings, laid out as a recipe file is."""
        return self._tree(places=True)

    def decided(self) -> dict[str, Any]:
        """Return `tree` without the devices of the models: they change no result that another run must repeat."""
        return self._tree(places=False)

    def _tree(self, *, places: bool) -> dict[str, Any]:
        tree = dataclasses.asdict(self)
        if self.image_fit == "as_is":  # recipes and their hashes stay as they were before it
            del tree["image_fit"]
        return {**tree, "models": without_defaults(tree["models"], places=places), "method": self.method.tree()}

    def to_yaml(self) -> str:
        """Return the resolved recipe, as every round's `recipe.yaml` carries it."""
        return yaml.safe_dump(_plain(self.tree()), sort_keys=False, allow_unicode=True)


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
    layers = _read(recipe, recipes_folder())
    over = _mapping(_locate(setting, recipes_folder() / "settings"))
    if "extends" in over:
        raise RecipeError(f"setting {setting}: 'extends' belongs to recipes. Copy the values that differ.")
    always = _always(layers, f"recipe {recipe}")
    for layer, where in (*((one, f"recipe {recipe}") for one in (*layers, always)), (over, f"setting {setting}")):
        refuse_moved(layer, where)
    return _laid([*layers, over, always, _overridden(overrides, benchmark)], recipe, setting)


def recipe_from_yaml(text: str, where: str) -> Recipe:
    """Read a resolved recipe back (a round's `recipe.yaml`), also one of an earlier version with other names."""
    tree = read_yaml(text, where)
    if not isinstance(tree, Mapping):
        raise RecipeError(f"{where}: is a {type(tree).__name__}, not a mapping. Write `key: value` lines.")
    tree = with_new_names(tree)
    return build(Recipe, tree | {"method": choice_of(tree.get("method", {}), where)}, where)


def _laid(layers: Sequence[Mapping[str, Any]], recipe: str | Path, setting: str | Path) -> Recipe:
    """Return the recipe of all layers, each over those before it."""
    where = f"recipe {recipe} in setting {setting}"
    tree: dict[str, Any] = {"setting": Path(str(setting)).stem}
    for layer in layers:
        tree = deep_merge(tree, {key: value for key, value in layer.items() if key not in {"method", "methods"}})
    return build(Recipe, tree | {"method": choice_of(layered(layers, where), where)}, where)


def _always(layers: Sequence[dict[str, Any]], where: str) -> dict[str, Any]:
    """Take `always` out of the layers of a recipe and return it."""
    found: dict[str, Any] = {}
    for layer in layers:
        own = layer.pop("always", {})
        if not isinstance(own, Mapping):
            raise RecipeError(f"{where}: 'always' is a {type(own).__name__}. Write `key: value` lines below it.")
        found = deep_merge(found, own)
    return found


def _overridden(overrides: Sequence[str], benchmark: str | None) -> dict[str, Any]:
    """Return all overrides as one layer, so that their order decides only between two of the same key."""
    tree: dict[str, Any] = {"benchmark": benchmark} if benchmark else {}
    for text in overrides:
        one = parse_override(text)
        refuse_moved(one, f"--set {text[:SHOWN]}")
        if isinstance(one.get("method"), str):
            one["method"] = {"name": one["method"]}
        tree = deep_merge(tree, one)
    return tree


def recipes_folder() -> Path:
    """Return the folder of shipped recipes, in the wheel or in a checkout."""
    inside = Path(__file__).parents[1] / "_recipes"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "recipes"


def _read(name: str | Path, folder: Path) -> list[dict[str, Any]]:
    """Read the file that this one extends, if any, and the file; who extends without a `name` is called as the file."""
    path = _locate(name, folder)
    tree = _mapping(path)
    if "extends" not in tree:
        return [tree]
    parent = tree.pop("extends")
    if not isinstance(parent, str) or not parent:
        raise RecipeError(f"{path}: extends {shown(parent)}. Give the name of one recipe: `extends: clincot`.")
    base = _mapping(_locate(parent, path.parent if isfile(path.parent / f"{parent}.yaml") else folder))
    if "extends" in base:
        raise RecipeError(
            f"{path}: extends {parent!r}, which extends another. One level is allowed; extend its parent."
        )
    return [base, {"name": path.stem} | tree]


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
