"""A recipe and the layers that it was made of -> every value of it, with the file or option that gave it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clincot.recipe.files import Layer
from clincot.recipe.method import layered
from clincot.recipe.values import deep_merge

if TYPE_CHECKING:
    from clincot.recipe import Recipe

DEFAULT = Layer({}, "default")
Path = tuple[str | int, ...]  # keys, and places in lists


@dataclass(frozen=True)
class Value:
    """A value of a resolved recipe; `origin` is the layer that gave it, `DEFAULT` where none did."""

    path: Path
    value: Any
    origin: Layer = DEFAULT

    @property
    def key(self) -> str:
        """Return the path as messages and --set write it: `models.judges[0].repo`."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).removeprefix(".")


def values_of(recipe: Recipe, layers: Sequence[Layer]) -> tuple[Value, ...]:
    """Return all values in the order of the recipe's parts; `layers` are those that made it."""
    tree = dataclasses.asdict(recipe) | {"method": recipe.method.tree()}
    given: dict[str, Any] = {}
    for layer in layers:
        own = {key: value for key, value in layer.values.items() if key not in {"method", "methods"}}
        given = deep_merge(given, _marked(own, layer))
    return tuple(_values(tree, given | {"method": _of_method(layers)}, ()))


def _of_method(layers: Sequence[Layer]) -> dict[str, Any]:
    """Return the origins of a method's name and numbers; numbers for other methods are left out, as they are there."""
    origin, marked = DEFAULT, []
    for layer in layers:
        own = layer.values.get("method", {})
        own = {"name": own} if isinstance(own, str) else own
        name = {"name": own["name"]} if "name" in own else {}  # decides for which method the numbers are
        origin = layer if name else origin
        others = {key: _marked(numbers, layer) for key, numbers in layer.values.get("methods", {}).items()}
        marked.append({"method": _marked(own, layer) | name, "methods": others})
    return layered(marked, "recipe") | {"name": origin}


def _marked(value: Any, layer: Layer) -> Any:
    """Return the layer in the place of each value; lists of models keep their shape."""
    if isinstance(value, Mapping):
        return {key: _marked(one, layer) for key, one in value.items()}
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return [_marked(one, layer) for one in value]
    return layer


def _values(value: Any, given: Any, path: Path) -> Iterator[Value]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _values(one, given.get(key) if isinstance(given, Mapping) else given, (*path, key))
    elif isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value):
        for i, one in enumerate(value):
            yield from _values(one, given[i] if isinstance(given, list) else given, (*path, i))
    else:
        plain = list(value) if isinstance(value, tuple) else value
        yield Value(path, plain, given if isinstance(given, Layer) else DEFAULT)
