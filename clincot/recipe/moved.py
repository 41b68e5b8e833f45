"""A recipe's values under the names of earlier versions -> refused with the new name, or moved to it when stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clincot.errors import RecipeError
from clincot.recipe.values import deep_merge

OF_CLINCOT = (
    "steps",
    "candidates",
    "samples_per_region",
    "temperature",
    "top_p",
    "lookahead",
    "pairs_per_step",
    "min_gap",
    "pair_scope",
)
# Dotted name -> where the value is now. A value below a moved name moves with it.
MOVED = {
    "views": "image_layout",
    "train.rows": "train.batch_layout",
    "build.judging.readout": "build.judging.scoring",
    "build.unit_images": "build.shard_images",
} | {f"build.{name}": f"method.{name}" for name in OF_CLINCOT}


def new_name(path: str) -> str:
    """Return the name that the dotted name `path` has now, which is itself for one that did not move."""
    for old, new in MOVED.items():
        if path == old or path.startswith(f"{old}."):
            return new + path.removeprefix(old)
    return path


def refuse_moved(tree: Mapping[str, Any], where: str) -> None:
    """Raise RecipeError for the first old name in `tree`, saying what to write; `where` begins the message."""
    for old, new in MOVED.items():
        value = _at(tree, old)
        if value is not MISSING:
            more = ", or in a setting methods.clincot." + new.removeprefix("method.") if old[6:] in OF_CLINCOT else ""
            raise RecipeError(f"{where}: {old} is now {new}. Write {new}{more}.")


def with_new_names(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a stored recipe under their present names; its `method` was a bare name."""
    moved = dict(tree)
    if isinstance(moved.get("method"), str):
        moved["method"] = {"name": moved["method"]}
    for old, new in MOVED.items():
        value = _at(moved, old)
        if value is not MISSING:
            moved = deep_merge(_without(moved, old.split(".")), _nested(new.split("."), value))
    return moved


MISSING = object()


def _at(tree: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return MISSING
        tree = tree[key]
    return tree


def _without(tree: Mapping[str, Any], path: list[str]) -> dict[str, Any]:
    if len(path) == 1:
        return {key: value for key, value in tree.items() if key != path[0]}
    return {**tree, path[0]: _without(tree[path[0]], path[1:])}


def _nested(path: list[str], value: Any) -> dict[str, Any]:
    return {path[0]: _nested(path[1:], value) if path[1:] else value}
