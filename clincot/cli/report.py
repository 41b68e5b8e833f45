"""`clincot report`: a run as a page of figures, with files of each for papers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.console import say
from clincot.cli.first_page import show_page
from clincot.cli.options import RUNS, Options
from clincot.executors.world import world_of


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name of a run in `runs/`, or the path of its folder.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write, new or empty (default: runs/RUN/report, replaced).")
    ] = None,
    open: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    hub: Annotated[str, typer.Option(help="Hub of the benchmark: local:PATH or a URL.")] = "",
) -> None:
    """Write a page of a run's figures: results, training, pairs, judges, findings, cost, lineage; PNG, SVG and CSV too.

    It reads what the run's store holds and loads no model. What is missing is named with the command that adds it.
    """
    from clincot.errors import ClincotError
    from clincot.runs.reporting.named import name_of_run

    world_of().refuse_company("clincot report")
    name = name_of_run(run, RUNS)
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ClincotError(f"{out}: exists and is not empty. Name a new folder with --out.")
    opened = Options(name=name, hub=hub).open()
    from clincot.runs.reporting.write import report_run

    done = report_run(opened, out or opened.folder / "report", replace=out is None)
    say(f"{len(done.figures)} figures: {', '.join(done.figures)}")
    for lack in done.lacks:
        say(f"{lack.title} {lack.reason} Run `{lack.command}`.")
    typer.echo(done.page)
    if open:
        show_page(done.page)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("report")(report)
