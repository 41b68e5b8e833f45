"""A recipe -> what it decides beyond the defaults, so that a field which a later version adds changes no key."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, fields
from typing import Any

from clincot.recipe import Build, Evaluate, ModelSource, Recipe, Train

FREE = ("resamples", "batch_size", "threads")  # of an evaluation: they change no answer
STORED = ("hub", "namespace", "name")


def decided(recipe: Recipe) -> dict[str, Any]:
    """Return the values of a recipe that are not defaults of its parts, as plain values.

    Where results are stored is left out, and so is what changes no answer.
    """
    tree = _plain({key: value for key, value in recipe.decided().items() if key not in STORED})
    parts = {"build": asdict(Build()), "train": asdict(Train()), "evaluate": asdict(Evaluate())}
    tree |= {name: _pruned(tree[name], _plain(default)) for name, default in parts.items()}
    tree["evaluate"] = {key: value for key, value in tree["evaluate"].items() if key not in FREE}
    source = _plain(asdict(ModelSource()))
    tree["models"] = {role: _source(value, source) for role, value in tree["models"].items()}
    usual = {one.name: one.default for one in fields(Recipe) if one.default is not MISSING}
    return {key: value for key, value in tree.items() if key not in usual or usual[key] != value}


def _source(value: Any, default: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_source(one, default) for one in value]
    return _pruned(value, default) if isinstance(value, dict) else value


def _pruned(tree: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _pruned(value, default[key]) if isinstance(value, dict) and isinstance(default.get(key), dict) else value
        for key, value in tree.items()
        if key not in default or default[key] != value
    }


def _plain(tree: Any) -> Any:
    return json.loads(json.dumps(tree, default=str))
