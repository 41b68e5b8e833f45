"""A group of entry points (`clincot.methods`, ...) -> the names that installed packages add to one of our tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from clincot.errors import ClincotError
from clincot.progress import notice

KINDS = (
    *("methods", "judges", "editors", "engines", "proposers", "metrics", "benchmarks", "protocols", "objectives"),
    "formats",  # of preference rows
)


class Table(dict[str, str]):
    """Names of our own -> `module:Class`; `kind` is the group of entry points where packages add theirs."""

    def __init__(self, kind: str, own: Mapping[str, str]) -> None:
        super().__init__(own)
        self.kind = kind

    def __or__(self, other: Mapping[str, str]) -> Table:  # type: ignore[override]
        return Table(self.kind, {**self, **other})


@dataclass(frozen=True)
class Plugin:
    """A name that an installed package adds: `place` is `module:Class` in `package` of `version`."""

    kind: str
    name: str
    place: str
    package: str
    version: str

    @property
    def label(self) -> str:
        return f"{self.package} {self.version}"

    @property
    def module(self) -> str:
        return self.place.partition(":")[0].strip()

    @property
    def attribute(self) -> str:
        return self.place.partition(":")[2].partition("[")[0].strip()


@cache
def installed(kind: str) -> tuple[Plugin, ...]:
    """Return what installed packages add to the group `clincot.KIND`, by name; no package is imported.

    It reads the metadata of every package once, 25 ms with 130 of them, so nothing that `--help` does may call it.
    """
    return tuple(sorted(_found(kind), key=lambda plugin: (plugin.name, plugin.package)))


def named(table: Mapping[str, str], name: str, where: str = "plugin") -> Plugin | None:
    """Return the plugin that `name` means in `table`: None where no package adds it, or it is one of our own.

    Raises ClincotError where two packages add the same name; `where` begins the message.
    """
    if not name or name in table:
        return None
    some = [plugin for plugin in of_table(table) if plugin.name == name]
    if not some:
        return None
    if len(some) > 1:
        both = " and ".join(plugin.label for plugin in some)
        raise ClincotError(
            f"{where}: {both} both add this name. Write {some[0].place} for that of the first, or remove a package."
        )
    return some[0]


def of_table(table: Mapping[str, str]) -> tuple[Plugin, ...]:
    """Return what packages add to `table`; nothing to a plain mapping."""
    return installed(table.kind) if isinstance(table, Table) else ()


def name_clash(table: Mapping[str, str], name: str, what: str) -> None:
    """Say once that a package adds one of our own names, which means ours."""
    for plugin in of_table(table):
        if plugin.name == name:
            say_once(
                f"warning: {what} {name!r}: is clincot's own; {plugin.label} adds one of the same name. Write"
                f" {plugin.place} for that."
            )


@cache
def say_once(message: str) -> None:
    notice(message)


def _found(kind: str) -> Iterator[Plugin]:
    for entry in entry_points(group=f"clincot.{kind}"):
        package, version = (entry.dist.name, entry.dist.version) if entry.dist else ("an unknown package", "")
        yield Plugin(kind, entry.name, entry.value, package, version)
