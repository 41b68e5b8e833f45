"""Nested plain values -> typed frozen dataclasses, strictly: unknown keys, wrong types, missing values are errors."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

from clincot.errors import RecipeError, did_you_mean

T = TypeVar("T")


def deep_merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `under` with the values of `over` laid on top; mappings merge, anything else replaces."""
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = deep_merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def parse_override(text: str) -> dict[str, Any]:
    """Read `a.b.c=value` (the value as YAML, nothing as an empty text) into a nested mapping."""
    path, equals, raw = text.partition("=")
    if not equals or not path.strip():
        raise RecipeError(f"--set {text}: is not key=value. Write for example --set build.steps=2.")
    try:
        value: Any = yaml.safe_load(raw) if raw.strip() else ""
    except yaml.YAMLError as error:
        raise RecipeError(f"--set {text}: the value is not YAML ({error}). Quote it.") from error
    for key in reversed(path.strip().split(".")):
        value = {key: value}
    return value


def build(cls: type[T], tree: Any, where: str) -> T:
    """Make `cls` from nested plain values; `where` begins every error."""
    if not isinstance(tree, Mapping):
        raise RecipeError(f"{where}: expected a mapping for {cls.__name__}, found {tree!r}. Write `key: value` lines.")
    hints = get_type_hints(cls)
    known = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in tree.items():
        if key not in known:
            raise RecipeError(f"{where}: unknown key {key!r}.{did_you_mean(str(key), known)}")
        values[key] = _value(hints[key], value, f"{where}: {key}")
    missing = [f.name for f in dataclasses.fields(cls) if f.name not in values and _required(f)]  # type: ignore[arg-type]
    if missing:
        raise RecipeError(f"{where}: {', '.join(missing)} not given. Add it to the recipe or the setting.")
    return cls(**values)


def _required(entry: dataclasses.Field[Any]) -> bool:
    return entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return build(hint, value, where)  # type: ignore[arg-type]
    origin = get_origin(hint)
    if origin is Literal:
        if value not in get_args(hint):
            raise RecipeError(
                f"{where}: {value!r} is not a choice.{did_you_mean(str(value), map(str, get_args(hint)))}"
            )
        return value
    if origin is tuple:
        return _tuple(hint, value, where)
    if origin is dict:
        return {key: _number(entry) for key, entry in _expect(dict, value, where).items()}
    if origin in (types.UnionType,):
        raise TypeError(f"{where}: recipe fields carry one type")
    return _scalar(hint, value, where)


def _tuple(hint: Any, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise RecipeError(f"{where}: expected a list, found {value!r}. Write [a, b].")
    inner = get_args(hint)[0]
    return tuple(_value(inner, entry, f"{where}[{i}]") for i, entry in enumerate(value))


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float:
        value = _number(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is not bool and isinstance(value, bool):
        raise RecipeError(f"{where}: expected {hint.__name__}, found {value!r}. Give a {hint.__name__}.")
    return _expect(hint, value, where)


def _number(value: Any) -> Any:
    """Read 1e-7 as a number: YAML 1.1 takes it for text because it has no dot, and every recipe author means it."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _expect(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        raise RecipeError(f"{where}: expected {kind.__name__}, found {value!r}. Give a {kind.__name__}.")
    return value
