"""Values with notes -> the lines of a YAML file of at most 80 columns, notes as comments after or above each value."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import yaml

from clincot.recipe.origins import Path

WIDTH = 80  # a text without spaces may be longer, and is never cut


@dataclass(frozen=True)
class Noted:
    """A value of a file, a short note after it, and sentences above it."""

    path: Path
    value: Any
    note: str = ""
    above: tuple[str, ...] = ()


def commented(
    values: Iterable[Noted], parts: Mapping[Path, Sequence[str]] | None = None, *, width: int = WIDTH, column: int = 44
) -> Iterator[str]:
    """Yield the lines, notes from `column` on; `parts` are sentences above the line that begins a part, by its path."""
    before: Path = ()
    for one in values:
        same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(before, one.path, strict=False))))
        dash = False
        for depth in range(same, len(one.path)):
            key = one.path[depth]
            if isinstance(key, int):
                dash = True
                continue
            lead = " " * (2 * depth - 2 * dash) + "- " * dash
            dash = False
            if depth < len(one.path) - 1:
                yield from _above((parts or {}).get(one.path[: depth + 1], ()), 2 * depth, width)
                yield f"{lead}{_text(key, None, width).removesuffix(' null')}"
            else:
                yield from _above(one.above, 2 * depth, width)
                yield from _value(lead, key, one, width, column)
        before = one.path


def _above(sentences: Sequence[str], indent: int, width: int) -> Iterator[str]:
    lead = " " * indent + "# "
    for sentence in sentences:
        yield from textwrap.wrap(
            sentence, width, initial_indent=lead, subsequent_indent=lead, break_long_words=False, break_on_hyphens=False
        )


def _value(lead: str, key: str, one: Noted, width: int, column: int) -> Iterator[str]:
    lines = _text(key, one.value, width - len(lead)).splitlines()
    first = f"{lead}{lines[0]}"
    noted = f"{first:{column}}  # {one.note}"
    if not one.note or (len(lines) == 1 and len(noted) <= width):
        yield noted if one.note else first
    else:
        yield from _above([one.note], len(lead), width)
        yield first
    yield from (" " * len(lead) + line for line in lines[1:])


def _text(key: str, value: Any, width: int) -> str:
    """Return `key: value`, lists and mappings in one line where they fit."""
    flow = None if isinstance(value, list | dict) else False
    for room in range(width, width // 2, -4):  # PyYAML folds behind the word that is over the width
        text = str(yaml.safe_dump({key: value}, default_flow_style=flow, width=room, allow_unicode=True)).rstrip("\n")
        if max(map(len, text.splitlines())) <= width:
            break
    return text
