"""YAML text -> plain values, or one RecipeError in one line for anything that a recipe cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from clincot.errors import RecipeError

MOST = 10_000  # values in a recipe: aliases of aliases make billions out of one kilobyte
# What PyYAML's constructors raise for texts such as `2026-99-99`, `!!int ""` and `[[[[...`, in addition to YAMLError.
ODD = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError, RecursionError)


def read_yaml(text: str, where: str) -> Any:
    """Return the values of one YAML document; `where` begins the error.

    Raises RecipeError for what is not YAML, keys given twice, and values that are nested too deeply, too many, or that
    contain themselves.
    """
    try:
        tree = yaml.load(text, Loader=_Loader)  # a SafeLoader
        count = _count(tree, {})
    except yaml.YAMLError as error:
        raise RecipeError(f"{where}: cannot be read as YAML ({_line(error)}). Correct it; quote a text.") from error
    except RecursionError as error:
        raise RecipeError(f"{where}: is nested too deeply, or contains itself. Write the values out.") from error
    except ODD as error:
        raise RecipeError(f"{where}: cannot be read as YAML ({_line(error)}). Correct it; quote a text.") from error
    if count > MOST:
        raise RecipeError(f"{where}: has more than {MOST:,} values through its aliases. Write the values out.")
    return tree


class _Loader(yaml.SafeLoader):
    """PyYAML's loader takes the last of two equal keys without a word."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen and name != "<<":
                raise yaml.MarkedYAMLError(problem=f"the key {name[:80]!r} is given twice", problem_mark=key.start_mark)
            seen.add(name)
        return node


def _count(value: Any, known: dict[int, int]) -> int:
    """Return how many values a tree holds, each alias counted as often as it is used."""
    if not isinstance(value, (Mapping, list)):
        return 1
    if id(value) not in known:
        inner = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_count(one, known) for one in inner)
    return known[id(value)]


def _line(error: Exception) -> str:
    """Return an error of PyYAML in one line: what is wrong, and where."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())[:200] or type(error).__name__
