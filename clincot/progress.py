"""A description and a total -> one live line on stderr, or a plain line now and then where none can be drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# advance(n) or advance(n, note): n more are done; the note (rates, failures) replaces the one shown.
Advance = Callable[..., None]
NAMED = 10  # names that a line has of a longer list
EVERY = 30.0  # seconds between the plain lines of a log file


@contextmanager
def bar(description: str, total: int, unit: str = "", *, done: int = 0, quiet: bool = False) -> Iterator[Advance]:
    """Show `done/total`, the note and the time left; the yielded function advances it by a number of units.

    `done` were finished earlier and do not count for the speed. `quiet` shows nothing.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if quiet:
        yield lambda n=1, note="": None
    elif console.is_terminal:
        with _live(console, description, total, unit, done) as advance:
            yield advance
    else:
        plain = _Plain(console, description, total, unit, done)
        plain.say(f"{description}: {total} {unit}".rstrip())
        yield plain.advance
        plain.say(plain.line("done"))


def notice(message: str) -> None:
    """Print a line on stderr, above a live line if there is one."""
    from rich.console import Console

    Console(stderr=True, soft_wrap=True).print(message, highlight=False, markup=False)


def left_out(names: Sequence[str], rest: str) -> str:
    """Return the line about the images that could not be read; `rest` says where all of them are listed."""
    return f"Left out, image unreadable ({len(names)}): {few_of(names, rest)}."


def few_of(names: Sequence[str], rest: str) -> str:
    """Return the first of `names`, and how many more there are in `rest`."""
    more = f" and {len(names) - NAMED} more ({rest})" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


@contextmanager
def _live(console: Console, description: str, total: int, unit: str, done: int) -> Iterator[Advance]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=False) as live:
        task = live.add_task(description, total=total, completed=done, note="")

        def advance(n: int = 1, note: str = "") -> None:
            live.update(task, advance=n, note=note)

        yield advance


class _Plain:
    """A log file gets one line at the start, one at the end and one in `EVERY` seconds instead of a redrawn bar."""

    def __init__(self, console: Console, description: str, total: int, unit: str, done: int) -> None:
        self.console, self.description, self.total, self.unit = console, description, total, unit
        self.done = self.before = done
        self.note = ""
        self.started = self.printed = time.monotonic()

    def advance(self, n: int = 1, note: str = "") -> None:
        self.done += n
        self.note = note
        if time.monotonic() - self.printed >= EVERY:
            self.printed = time.monotonic()
            self.say(self.line(_left(self.total - self.done, self.done - self.before, self.printed - self.started)))

    def line(self, end: str) -> str:
        counted = " ".join(filter(None, (f"{self.done} of {self.total}", self.unit, end)))
        return f"{self.description}: {counted}" + (f", {self.note}" if self.note else "")

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


def _left(missing: int, made: int, seconds: float) -> str:
    if made <= 0:
        return "so far"
    minutes, rest = divmod(round(missing * seconds / made), 60)
    return f"so far, {minutes // 60}:{minutes % 60:02d}:{rest:02d} left"
