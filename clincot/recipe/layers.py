"""Names of files and overrides -> the layers of a recipe in the order in which they are laid over one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clincot.recipe.files import Layer, read_over, read_recipe
from clincot.recipe.moved import refuse_moved
from clincot.recipe.values import SHOWN, deep_merge, parse_override

SET, BENCHMARK = "--set", "--benchmark"  # origins of values of the command line


def layers_of(
    recipe: str | Path,
    setting: str | Path,
    *,
    benchmark: str | None = None,
    hardware: str | Path | None = None,
    overrides: Sequence[str] = (),
) -> list[Layer]:
    """Read the files and return their values, each to be laid over those before it; overrides come last.

    Raises RecipeError naming the file and the key.
    """
    layers, always = read_recipe(recipe)
    over = read_over("setting", setting)
    layers += [Layer({"setting": Path(str(setting)).stem}, over.origin, over.path), over]
    if hardware:
        layers.append(read_over("hardware", hardware))
    layers += always
    if benchmark:
        layers.append(Layer({"benchmark": benchmark}, BENCHMARK))
    return [*layers, Layer(_overridden(overrides), SET)]


def _overridden(overrides: Sequence[str]) -> dict[str, Any]:
    """Return all overrides as one layer, so that their order decides only between two of the same key."""
    tree: dict[str, Any] = {}
    for text in overrides:
        one = parse_override(text)
        refuse_moved(one, f"--set {text[:SHOWN]}")
        if isinstance(one.get("method"), str):
            one["method"] = {"name": one["method"]}
        tree = deep_merge(tree, one)
    return tree
