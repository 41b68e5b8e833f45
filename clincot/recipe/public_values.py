"""A value of a recipe -> what others may read of it, no folder and no address; and its value on its own machine again.

Recipes are published with every round. A folder names a user or a patient list, an address names a host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Any

ADDRESS = re.compile(r"(?:local:|[A-Za-z][\w+.-]*://)\S[^\n]*")
CLASS = re.compile(r"([^\n]+\.py):(\w+)")
PATH = re.compile(r"(?:[~/\\]|\.{1,2}[/\\]|[A-Za-z]:[\\/])[^\n]*")


def without_places(value: Any) -> Any:
    """Return a recipe's values with `./NAME` for paths, `./FILE.py:CLASS` for classes in files, "" for addresses.

    Only a text that is nothing else is one: a prompt that quotes a path stays. Names stay readable as relative paths.
    """
    if isinstance(value, Mapping):
        return {name: without_places(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_places(one) for one in value]
    return _text(value) if isinstance(value, str) else value


def is_place(text: str) -> bool:
    """Return whether a text says where something is on a machine or in a network."""
    return _text(text) != text


def with_own_places(stored: Any, public: Any, own: Any) -> Any:
    """Return the values of a published recipe with those of one's own recipe wherever it would publish the same.

    `public` is what would be published of `own`. What differs stays as it is stored.
    """
    if without_places(stored) == public:
        return own
    if isinstance(stored, Mapping) and isinstance(public, Mapping) and isinstance(own, Mapping):
        both = public.keys() & own.keys()
        return {k: with_own_places(v, public[k], own[k]) if k in both else v for k, v in stored.items()}
    return stored


def _text(value: str) -> str:
    if ADDRESS.fullmatch(value):
        return ""
    if found := CLASS.fullmatch(value):
        return f"./{_name(found[1])}:{found[2]}"
    return f"./{_name(value)}" if PATH.fullmatch(value) else value


def _name(path: str) -> str:
    """Return the last part of a path of any system; "" where a path has none (`..`)."""
    name = PureWindowsPath(path).name
    return "" if name in ("..", "~") else name
