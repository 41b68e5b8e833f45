"""README text -> the YAML between its first two `---` lines as JSON-safe data, bounded in size and depth."""

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
