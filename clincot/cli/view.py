"""`clincot view`: a round's preference pairs as a page, with images, regions, candidates and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.console import say
from clincot.cli.first_page import show_page
from clincot.cli.options import Options, with_options
from clincot.cli.stages import DryRun, check_push
from clincot.executors.world import world_of

Source = Annotated[
    str, typer.Argument(metavar="ROUND|REPO@REV|FOLDER", help="A round of the run (1, round-1-v2), or a dataset.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write, new or empty (default: view-SOURCE).")]
Push = Annotated[bool, typer.Option("--push", help="Publish the page as a static Space of the target Hub.")]
Open = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]


@with_options
def view(
    options: Options,
    source: Source,
    out: Out = None,
    open: Open = False,
    push: Push = False,
    dry_run: DryRun = False,
) -> None:
    """Write a page to look through preference pairs: a folder that needs no server and no network."""
    from clincot.errors import ClincotError
    from clincot.runs.checks.rows import check_view

    world_of().refuse_company("clincot view")
    check_view(source)
    folder = out or Path("view-" + "".join(c if c.isalnum() or c in "-." else "-" for c in source).strip("-."))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ClincotError(f"{folder}: exists and is not empty. Name a new folder with --out.")
    run = options.open()
    check_push(run, push and not dry_run)
    from clincot.runs.rounds.viewed import view_round
    from clincot.runs.rounds.viewed_pushed import check_page, preview_page, push_page

    pushed = push or dry_run
    done = view_round(run, source, folder, (lambda found: check_page(run, found)) if pushed else None)
    say(f"{done.pairs:,} pairs")
    if done.sealed:
        say("for this machine alone: images and reference texts must not be passed on")
    if dry_run:
        preview_page(run, done, say)
    elif push:
        say(f"pushed as {push_page(run, done, say)} to {run.target.label}")
    typer.echo(done.page)
    if open:
        show_page(done.page)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("view")(view)
