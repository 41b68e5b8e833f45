"""A run with results -> where their page lies; with --open, a browser that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clincot.cli.console import say

if TYPE_CHECKING:
    from clincot.runs.run import Run

Full = Annotated[
    bool, typer.Option("--full", help="Print the whole tables: all rows with controls, intervals, kinds of question.")
]
Open = Annotated[bool, typer.Option("--open", help="Open the results page in a browser.")]


def point_to_page(run: Run, *, open_: bool) -> None:
    """Print the path of the newest results page, and open it where that is asked for."""
    from clincot.runs.summary import newest_page

    page = newest_page(run)
    if page is None:
        return
    say(f"\nThe results as a page{'' if open_ else ' (--open shows it)'}: {page}")
    if open_:
        show_page(page)


def show_page(page: Path) -> None:
    """Open the page in a browser, or say that there is no browser."""
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        say("--open: no browser was found on this machine. Copy the page to one that has a browser.")
