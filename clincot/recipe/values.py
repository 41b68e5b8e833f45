"""Nested plain values -> typed frozen dataclasses, strictly: unknown keys, wrong types and values out of range fail."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from clincot.errors import RecipeError, did_you_mean
from clincot.recipe.ranges import Range
from clincot.recipe.served import OneOrMore
from clincot.recipe.yaml_text import read_yaml

T = TypeVar("T")
SHOWN = 80  # characters of a value in a message
WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", dict: "a mapping"}


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
        raise RecipeError(f"--set {text[:SHOWN]}: is not key=value. Write for example --set method.steps=2.")
    value: Any = read_yaml(raw, f"--set {text[:SHOWN]}") if raw.strip() else ""
    for key in reversed(path.strip().split(".")):
        value = {key: value}
    return value


def build(cls: type[T], tree: Any, where: str, join: str = ": ") -> T:
    """Make `cls` from nested plain values; `where` begins every error, and `join` puts a key after it.

    A field annotated with a `Range` takes no number outside of it, and no field takes NaN or an infinity.
    """
    if not isinstance(tree, Mapping):
        raise RecipeError(
            f"{where}: expected a mapping for {cls.__name__}, found {shown(tree)}. Write `key: value` lines."
        )
    hints = get_type_hints(cls, include_extras=True)
    known = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in tree.items():
        if key not in known:
            raise RecipeError(f"{where}: unknown key {shown(key)}.{did_you_mean(str(key), known)}")
        values[key] = _value(hints[key], value, f"{where}{join}{key}")
    missing = [f.name for f in dataclasses.fields(cls) if f.name not in values and _required(f)]  # type: ignore[arg-type]
    if missing:
        raise RecipeError(f"{where}: {', '.join(missing)} not given. Add it to the recipe or the setting.")
    return cls(**values)


def shown(value: Any) -> str:
    """Return a value as messages quote it: in one line, cut when it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _required(entry: dataclasses.Field[Any]) -> bool:
    return entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if isinstance(value, hint):  # type: ignore[arg-type]
            return value
        return build(hint, value, where, ".")  # type: ignore[arg-type]
    origin = get_origin(hint)
    if origin is Annotated:
        kind, limits = get_args(hint)
        if isinstance(limits, OneOrMore):
            return _one_or_more(kind, value, limits, where)
        return _limited(_value(kind, value, where), limits, where)
    if origin is Literal:
        if not isinstance(value, str) or value not in get_args(hint):
            raise RecipeError(f"{where}: {shown(value)} is not a choice.{did_you_mean(str(value), get_args(hint))}")
        return value
    if origin is tuple:
        return _tuple(hint, value, where)
    if origin is dict:
        return _passed_on(_expect(dict, value, where), where)
    return _scalar(hint, value, where)


def _limited(value: Any, limits: Range, where: str) -> Any:
    if value not in limits:
        kind = "a whole number" if isinstance(value, int) else "a number"
        raise RecipeError(f"{where}: {shown(value)} is out of range. Give {kind} {limits}.")
    return value


def _one_or_more(kind: Any, value: Any, limits: OneOrMore, where: str) -> Any:
    listed = limits.listed(value)
    if not isinstance(listed, (list, tuple)):
        raise RecipeError(f"{where}: expected {limits.what}, found {shown(value)}. Write one text, or [a, b].")
    return _tuple(kind, listed, where)


def _tuple(hint: Any, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise RecipeError(f"{where}: expected a list, found {shown(value)}. Write [a, b].")
    inner = get_args(hint)[0]
    found = tuple(_value(inner, entry, f"{where}[{i}]") for i, entry in enumerate(value))
    twice = next((entry for i, entry in enumerate(found) if entry in found[:i]), None)
    if twice is not None:
        raise RecipeError(f"{where}: {shown(getattr(twice, 'repo', twice))} is given twice. Name each once.")
    return found


def _passed_on(value: Any, where: str) -> Any:
    """Return values for a library's own settings: numbers are read as elsewhere, and finite."""
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise RecipeError(f"{where}: the key {shown(key)} is not a text. Quote it.")
        return {key: _passed_on(_number(entry), f"{where}.{key}") for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_passed_on(entry, f"{where}[{i}]") for i, entry in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise RecipeError(f"{where}: {value!r} is not finite. Give a finite number.")
    return value


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float:
        value = _number(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            value = math.inf
    if hint is not bool and isinstance(value, bool):
        raise RecipeError(f"{where}: expected {hint.__name__}, found {value!r}. Give {WORDS[hint]}.")
    value = _expect(hint, value, where)
    if hint is float and not math.isfinite(value):
        raise RecipeError(f"{where}: {value!r} is not finite. Give a finite number.")
    return value


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
        raise RecipeError(f"{where}: expected {kind.__name__}, found {shown(value)}. Give {WORDS[kind]}.")
    return value
