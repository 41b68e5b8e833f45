"""README text -> its front matter as JSON-safe data, and the tags by which its repo is found."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

FRONT_MATTER = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
MAX_FRONT_MATTER = 1_000_000
MAX_NODES = 50_000
MAX_DEPTH = 50


def front_matter(text: str) -> Any:
    """The YAML between the first two `---` lines, None without one; ValueError when it does not parse.

    Aliases may make a short text mean a huge or endless structure: at most 50,000 nodes, 50 levels.
    """
    match = FRONT_MATTER.match(text)
    if not match:
        return None
    if len(match[1]) > MAX_FRONT_MATTER:
        raise ValueError(f"the front matter is longer than {MAX_FRONT_MATTER} characters")
    try:
        loaded = yaml.safe_load(match[1])
    except (yaml.YAMLError, RecursionError, TypeError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split()) or "too deeply nested") from error
    return _JsonSafe().convert(loaded)


class _JsonSafe:
    """Counts nodes while it converts, so that an alias bomb stops early."""

    def __init__(self) -> None:
        self.nodes = 0

    def convert(self, value: Any, depth: int = 0) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            raise ValueError("the front matter is too large or too deeply nested")
        if isinstance(value, dict):
            return {str(key): self.convert(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [self.convert(inner, depth + 1) for inner in value]
        if value is None or isinstance(value, (bool, int, str)):
            return _clean(value) if isinstance(value, str) else value
        if isinstance(value, float) and math.isfinite(value):
            return value
        return str(value)


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()


def card_data(readme: bytes | None) -> dict[str, Any] | None:
    """Front matter of a stored README; None when there is none or it is broken."""
    if readme is None:
        return None
    try:
        data = front_matter(readme.decode(errors="replace"))
    except ValueError:  # stored by plain git: the Hub shows such a repo without card data
        return None
    return data if isinstance(data, dict) else None


def _listed(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def tags_of(card: dict[str, Any]) -> list[str]:
    """Tags by which repos are found: the card's own, then license:, base_model:, dataset: and the rest."""
    tags = _listed(card.get("tags")) + _listed(card.get("library_name")) + _listed(card.get("pipeline_tag"))
    named = {"license": "license", "base_model": "base_model", "datasets": "dataset", "language": "language"}
    named |= {"task_categories": "task_categories", "size_categories": "size_categories"}
    for key, prefix in named.items():
        tags += [f"{prefix}:{value}" for value in _listed(card.get(key))]
    relation = card.get("base_model_relation")
    if isinstance(relation, str):
        tags += [f"base_model:{relation}:{base}" for base in _listed(card.get("base_model"))]
    return list(dict.fromkeys(tags))
