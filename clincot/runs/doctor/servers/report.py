"""What was found of each server -> lines of at most 80 columns, or plain values for JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

# `fails`: a run over this server cannot go on. `note`: it goes on, with what the note says. `unknown`: not measured.
State = Literal["ok", "note", "unknown", "fails"]
WIDE, NAME, MARK = 80, 22, 9
WORDS: dict[State, str] = {"ok": "ok", "note": "note", "unknown": "unknown", "fails": "FAILS"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and what to do where it is not as it should be."""

    name: str
    state: State
    found: str
    todo: str = ""


@dataclass(frozen=True)
class Looked:
    """A server of a role, and what it was found to do for `model`."""

    role: str
    endpoint: str
    model: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class ServersReport:
    """The servers of a recipe; `benchmark` is where the questions came from."""

    title: str
    benchmark: str
    servers: tuple[Looked, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Return what fails, by role and server."""
        return tuple(
            f"{server.role} at {server.endpoint}: {check.name}"
            for server in self.servers
            for check in server.checks
            if check.state == "fails"
        )

    def values(self) -> dict[str, Any]:
        """Return plain values."""
        servers = [asdict(server) for server in self.servers]
        return {"recipe": self.title, "benchmark": self.benchmark, "servers": servers, "failed": list(self.failed)}

    def lines(self) -> Iterator[str]:
        """Yield the lines of the table."""
        yield from _folded(f"Servers of {self.title}, with questions of {self.benchmark}")
        for server in self.servers:
            yield ""
            yield from _folded(f"{server.role}: {server.model} at {server.endpoint}")
            for check in server.checks:
                yield from _row(check)


def _row(check: Check) -> Iterator[str]:
    head = f"  {check.name:<{NAME}}{WORDS[check.state]:<{MARK}}"
    indent = " " * len(head)
    yield from textwrap.wrap(check.found, WIDE, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
    if check.todo:
        yield from textwrap.wrap(
            check.todo, WIDE, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        )


def _folded(text: str) -> list[str]:
    return textwrap.wrap(text, WIDE, subsequent_indent="  ", break_on_hyphens=False)
