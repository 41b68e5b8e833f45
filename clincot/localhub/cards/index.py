"""The `model-index` of a model card -> what is wrong with its results, each with the place it was found at."""

from __future__ import annotations

from typing import Any

# Of each result: its part, the keys it must have, the keys that are text when they are there.
PARTS = {"task": (("type",), ("name",)), "dataset": (("name", "type"), ("config", "split", "revision"))}


def index_errors(key: str, value: Any) -> list[str]:
    """Errors in the words of the Hub, such as `"model-index[0].name" is required`."""
    if not isinstance(value, list):
        return [f'"{key}" must be an array']
    return [text for number, row in enumerate(value) for text in _entry(f"{key}[{number}]", row)]


def _entry(place: str, row: Any) -> list[str]:
    if not isinstance(row, dict):
        return [f'"{place}" must be of type object']
    found = _needs(place, row, "name", str, "a string") + _needs(place, row, "results", list, "an array")
    results = row.get("results")
    for number, result in enumerate(results if isinstance(results, list) else []):
        found += _result(f"{place}.results[{number}]", result)
    return found


def _result(place: str, result: Any) -> list[str]:
    if not isinstance(result, dict):
        return [f'"{place}" must be of type object']
    found = _needs(place, result, "metrics", list, "an array")
    for part, (required, optional) in PARTS.items():
        found += _needs(place, result, part, dict, "of type object")
        held = result.get(part)
        if isinstance(held, dict):
            found += [text for key in required for text in _needs(f"{place}.{part}", held, key, str, "a string")]
            present = [key for key in optional if held.get(key) is not None]
            found += [text for key in present for text in _needs(f"{place}.{part}", held, key, str, "a string")]
    metrics = result.get("metrics")
    for number, metric in enumerate(metrics if isinstance(metrics, list) else []):
        found += _metric(f"{place}.metrics[{number}]", metric)
    return found


def _metric(place: str, metric: Any) -> list[str]:
    if not isinstance(metric, dict):
        return [f'"{place}" must be of type object']
    found = _needs(place, metric, "type", str, "a string")
    return found if metric.get("value") is not None else [*found, f'"{place}.value" is required']


def _needs(place: str, table: dict[str, Any], key: str, kind: type, shown: str) -> list[str]:
    if table.get(key) is None:
        return [f'"{place}.{key}" is required']
    return [] if isinstance(table[key], kind) else [f'"{place}.{key}" must be {shown}']
