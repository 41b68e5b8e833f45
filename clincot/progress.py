"""A description and a total -> a live progress bar on stderr, plain lines where none can be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

Advance = Callable[[int], None]


@contextmanager
def bar(description: str, total: int, unit: str = "") -> Iterator[Advance]:
    """Show `done/total`, rate and time left; the yielded function advances it by a number of units."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    if not console.is_terminal:
        # A log file gets one line at the start and one at the end instead of a redrawn bar.
        console.print(f"{description}: {total} {unit}".rstrip(), highlight=False)
        done = 0

        def count(n: int = 1) -> None:
            nonlocal done
            done += n

        yield count
        console.print(f"{description}: {done} of {total} {unit} done".rstrip(), highlight=False)
        return
    with Progress(*columns, console=console, transient=False) as live:
        task = live.add_task(description, total=total)
        yield partial(live.advance, task)
