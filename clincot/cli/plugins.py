"""`clincot plugins`: the names that a recipe may choose, with the package, version and file of each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from clincot.cli.console import Json, print_json, say

if TYPE_CHECKING:
    from clincot.runs.plugins import Known

WIDTH = 80
FOLDED: dict[str, Any] = {"initial_indent": "    ", "subsequent_indent": "    ", "break_on_hyphens": False}
LONGEST, LEAST = 32, 24  # columns of a name or a package at most, of a file at least


def plugins(json_: Json = False) -> None:
    """List the names that a recipe may choose, by kind: package, version and file.

    What other packages add is imported; a name that cannot be used is listed with the reason.
    """
    from clincot.runs.plugins import known_names

    known = known_names()
    if json_:
        return print_json([asdict(one) for one in known])
    for kind, some in groupby(known, lambda one: one.kind):
        typer.echo(f"{kind} (entry points: clincot.{kind})")
        for line in _lines(list(some)):
            typer.echo(line)
    faults = sum(bool(one.fault) for one in known)
    if faults:
        say(f"{faults} {'name' if faults == 1 else 'names'} of packages cannot be used.")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("plugins")(plugins)


def _lines(some: Sequence[Known]) -> Iterator[str]:
    names = min(max(len(one.name) for one in some), LONGEST)
    labels = min(max(len(_label(one)) for one in some), LONGEST)
    for one in some:
        name, label = one.name, _label(one)
        if len(name) > names:
            yield f"  {_ended(name, WIDTH - 2)}"
            name = ""
        head = f"  {name:{names}}  {_ended(label, labels):{labels}}"
        room, file = WIDTH - len(head) - 2, _short(one)
        if room < LEAST and len(file) > room:
            yield head.rstrip()
            yield f"    {_ended(file, WIDTH - 4)}"
        else:
            yield f"{head}  {_ended(file, room)}".rstrip()
        if one.fault:
            yield textwrap.fill(one.fault, WIDTH, **FOLDED)


def _label(one: Known) -> str:
    return f"{one.package} {one.version}"


def _short(one: Known) -> str:
    """Return the file within our own package, from the working directory, or whole."""
    import clincot

    path, ours = Path(one.file), Path(clincot.__file__).parent
    for base in (ours, Path.cwd()):
        if one.file and path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return one.file


def _ended(text: str, width: int) -> str:
    """Return the end of a text that is too long."""
    return text if len(text) <= width else f"...{text[max(len(text) - width + 3, 0) :]}"
