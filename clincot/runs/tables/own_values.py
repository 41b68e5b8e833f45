"""A recipe -> what it says of every setting, as overrides: a table's --set leaves a control a control."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from clincot.recipe.files import Layer, read_recipe


@cache
def own_values(recipe: str) -> tuple[str, ...]:
    """Return `KEY=VALUE` of every value below `always`, those of the recipe itself after those that it extends."""
    layers, always = read_recipe(recipe)
    found: dict[str, Any] = {}
    for layer in always:
        found |= dict(_leaves({name: value for name, value in layer.values.items() if name != "method"}, ""))
        found |= dict(_leaves(_numbers(layer.values), f"methods.{_method([*layers, *always])}."))
    return tuple(f"{key}={json.dumps(value)}" for key, value in found.items())


def _method(layers: Sequence[Layer]) -> str:
    """Return the method that the last of the layers names, if any does."""
    named = [layer.values["method"] for layer in layers if "method" in layer.values]
    names = [one["name"] if isinstance(one, Mapping) else one for one in named if isinstance(one, str) or "name" in one]
    return str(names[-1]) if names else ""


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a method's numbers; those that are set under its name (`methods.NAME`) win over those below `method`."""
    method = values.get("method", {})
    return {name: value for name, value in method.items() if name != "name"} if isinstance(method, Mapping) else {}


def _leaves(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
