"""The tables of choices and installed packages -> every name that a recipe may choose, and where it is from."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clincot
from clincot import benchmarks, editors, engines, judges, methods, metrics, objectives, protocols, regions
from clincot.errors import ClincotError
from clincot.recipe.choices import load_plugin
from clincot.recipe.plugins import Plugin, installed
from clincot.rows import formats

ROOT = Path(clincot.__file__).parents[1]
TABLES: dict[str, Mapping[str, Any]] = {
    "methods": methods.METHODS,
    "judges": judges.JUDGES,
    "editors": editors.EDITORS,
    "engines": engines.ENGINES,
    "proposers": regions.PROPOSERS,
    "metrics": metrics.SCORES,
    "benchmarks": benchmarks.BENCHMARKS,
    "protocols": protocols.PROTOCOLS,
    "objectives": objectives.OBJECTIVES,
    "formats": formats.FORMATS,
}


@dataclass(frozen=True)
class Known:
    """A name of a group of entry points (`clincot.KIND`); `fault` says why it cannot be used, "" where it can."""

    kind: str
    name: str
    package: str
    version: str
    place: str
    file: str
    fault: str = ""


def known_names() -> tuple[Known, ...]:
    """Return what every table knows, ours first; what packages add is imported, to see whether it can be used.

    Our own are not imported.
    """
    return tuple(one for kind, table in TABLES.items() for one in (*_ours(kind, table), *_theirs(kind, table)))


def added_names() -> tuple[Known, ...]:
    """Return what installed packages add to every table; they are imported, to see whether they can be used."""
    return tuple(one for kind, table in TABLES.items() for one in _theirs(kind, table))


def _ours(kind: str, table: Mapping[str, Any]) -> Iterator[Known]:
    for name, place in table.items():
        where = place if isinstance(place, str) else "clincot.protocols:PROTOCOLS"
        path = ROOT / where.partition(":")[0].replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        yield Known(kind, name, "clincot", clincot.__version__, where, str(file))


def _theirs(kind: str, table: Mapping[str, Any]) -> Iterator[Known]:
    some = installed(kind)
    for plugin in some:
        file, fault = _imported(plugin)
        if plugin.name in table:
            fault = f"hidden: {plugin.name} is clincot's own"
        elif sum(other.name == plugin.name for other in some) > 1:
            fault = "ambiguous: another package adds this name too"
        yield Known(kind, plugin.name, plugin.package, plugin.version, plugin.place, file, fault)


def _imported(plugin: Plugin) -> tuple[str, str]:
    """Return the file of what a plugin names, and why it cannot be imported."""
    try:
        with redirect_stdout(sys.stderr):  # what it prints is no part of the list
            found = load_plugin(plugin, plugin.name)
    except ClincotError as error:
        return "", f"broken: {str(error).partition('cannot be imported: ')[2]}"
    of_class = inspect.isclass(found) or inspect.isfunction(found)
    module = inspect.getmodule(found) if of_class else sys.modules[plugin.module]
    return str(getattr(module, "__file__", "")), ""
