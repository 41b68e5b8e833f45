"""A recipe file, a setting file, perhaps a hardware file, and overrides -> one frozen `Recipe`, or an error by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml

from clincot.errors import RecipeError
from clincot.recipe.files import recipes_folder
from clincot.recipe.layers import layers_of
from clincot.recipe.load import Load, turns, without_defaults
from clincot.recipe.losses import Anchor, InherentNoise, LaterRounds, Margin
from clincot.recipe.method import MethodChoice, choice_of, layered
from clincot.recipe.moved import with_new_names
from clincot.recipe.own_data import published
from clincot.recipe.own_hypotheses import resolved
from clincot.recipe.parts import (
    BatchLayout,
    Build,
    Conditioning,
    Evaluate,
    ImageFit,
    ImageLayout,
    Judging,
    Look,
    Models,
    ModelSource,
    Regions,
    Train,
)
from clincot.recipe.public_values import with_own_places, without_places
from clincot.recipe.ranges import Range
from clincot.recipe.values import build, deep_merge
from clincot.recipe.yaml_text import read_yaml
from clincot.records.lineage import content_key

__all__ = [
    "Anchor",
    "BatchLayout",
    "Build",
    "Conditioning",
    "Evaluate",
    "ImageFit",
    "ImageLayout",
    "Judging",
    "LaterRounds",
    "Load",
    "Look",
    "InherentNoise",
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
    `rounds`: how often data are built and an adapter trained, each time on another part of the images; 0: not at all,
    the start alone is made and evaluated.
    `seed`: of every draw. `build`, `train`, `evaluate`: the stages.
    `image_layout`: image and crop reach the policy as two images, or as one `canvas` for a policy that takes only one.
    `image_fit`: how images become the square that the policy's tower reads: as its own processor does, on a square of
    the mean colour, stretched, or their middle.
    `hypotheses`: own ones by modality, or the path of a YAML file of them (`own_hypotheses.py`); else the package's.
    """

    name: str
    method: MethodChoice
    setting: str
    benchmark: str
    models: Models
    benchmark_revision: str = ""
    hub: str = ""
    namespace: str = ""
    rounds: Annotated[int, Range(0, 1000)] = 4
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0  # NumPy's seeds, which transformers sets from it
    image_layout: ImageLayout = "separate"
    image_fit: ImageFit = "as_is"
    hypotheses: dict[str, Any] = field(default_factory=dict)
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
    def looked_key(self) -> tuple[object, ...]:
        """Return what own hypotheses add to content keys, their order included: nothing without them."""
        own = [(modality, list(words.items())) for modality, words in self.hypotheses.items()]
        return (("hypotheses", own),) if own else ()

    @property
    def fit_facts(self) -> dict[str, str]:
        """Return what lineages say of `image_fit`: nothing by default."""
        return {} if self.image_fit == "as_is" else {"image_fit": self.image_fit}

    def tree(self) -> dict[str, Any]:
        """Return all values as plain nested mappings, laid out as a recipe file is."""
        return self._tree(places=True)

    def decided(self) -> dict[str, Any]:
        """Return `tree` without devices, servers and folders: they change no result that another run must repeat.

        It names no host and no path of a machine: own data and classes of one's own have the names of their files.
        """
        tree: dict[str, Any] = without_places(self._tree(places=False))
        return {**tree, "benchmark": published(self.benchmark)}

    def _tree(self, *, places: bool) -> dict[str, Any]:
        tree = dataclasses.asdict(self)
        if self.image_fit == "as_is":  # recipes and their hashes stay as they were before it
            del tree["image_fit"]
        if not self.hypotheses:
            del tree["hypotheses"]
        return {**tree, "models": without_defaults(tree["models"], places=places), "method": self.method.tree()}

    def to_yaml(self) -> str:
        """Return the resolved recipe, to be read back as an equal one on this machine or on a node of its cluster."""
        tree = self.tree()
        tree["models"] |= turns(dataclasses.asdict(self.models))
        return yaml.safe_dump(_plain(tree), sort_keys=False, allow_unicode=True)

    def to_published_yaml(self) -> str:
        """Return the resolved recipe, as every round's `recipe.yaml` carries it: `decided`."""
        return yaml.safe_dump(_plain(self.decided()), sort_keys=False, allow_unicode=True)


def load_recipe(
    recipe: str | Path = "clincot",
    setting: str | Path = "phantom",
    *,
    benchmark: str | None = None,
    hardware: str | Path | None = None,
    overrides: Sequence[str] = (),
) -> Recipe:
    """Read the files (shipped names or paths) and lay setting, hardware and overrides over the recipe, in this order.

    What a recipe says under `always` is laid over setting and hardware: an ablation stays one wherever it runs.
    Raises RecipeError naming the file, the key and the nearest known key.
    """
    layers = layers_of(recipe, setting, benchmark=benchmark, hardware=hardware, overrides=overrides)
    return laid([layer.values for layer in layers], f"recipe {recipe} in setting {setting}")


def recipe_from_yaml(text: str, where: str, own: Recipe | None = None) -> Recipe:
    """Read a resolved recipe back (a round's `recipe.yaml`), also one of an earlier version with other names.

    A published one names no folder and no server; those of `own` are taken where it would publish the same value.
    """
    tree = read_yaml(text, where)
    if not isinstance(tree, Mapping):
        raise RecipeError(f"{where}: is a {type(tree).__name__}, not a mapping. Write `key: value` lines.")
    tree = with_new_names(tree)
    if own is not None:
        tree = with_own_places(tree, _plain(own.decided()), _plain(own.tree()))
    return build(Recipe, tree | {"method": choice_of(tree.get("method", {}), where)}, where)


def laid(layers: Sequence[Mapping[str, Any]], where: str) -> Recipe:
    """Return the recipe of all layers, each over those before it; `where` begins every error."""
    tree: dict[str, Any] = {}
    for layer in layers:
        tree = deep_merge(tree, {key: value for key, value in layer.items() if key not in {"method", "methods"}})
    if tree.get("hypotheses"):
        tree["hypotheses"] = resolved(tree["hypotheses"], where)
    return build(Recipe, tree | {"method": choice_of(layered(layers, where), where)}, where)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
