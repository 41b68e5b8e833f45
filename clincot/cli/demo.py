"""`clincot demo`: two rounds on the embedded benchmark, from nothing to a trained, pushed, evaluated adapter."""

from __future__ import annotations

from typing import Annotated

import typer

from clincot.cli.console import next_step, say
from clincot.cli.first_page import Full, Open, point_to_page
from clincot.cli.options import Options
from clincot.cli.stages import check_push


def demo(
    hub: Annotated[str, typer.Option(help="Where to push: local:PATH or a URL.")] = "local:./clincot-hub",
    name: Annotated[str, typer.Option(help="Name of the run.")] = "demo",
    full: Full = False,
    open: Open = False,
) -> None:
    """Run two rounds on drawn radiographs with tiny real models: build, train, build, train, evaluate, push.

    It pushes to its own Hub, a folder on this machine, unless --hub names another.
    """
    options = Options(name=name, hub=hub)
    run = options.open()  # before the stages are imported, see stages.py
    where = f"its own Hub, the folder {hub.removeprefix('local:')}" if hub.startswith("local:") else hub
    say("Two rounds of ClinCoT on the phantom benchmark; everything runs on this machine. Not for clinical use.")
    say(f"The results are pushed to {where}.")
    check_push(run, True)
    from clincot.runs.loop import run_rounds
    from clincot.runs.summary import print_summary

    releases, evaluation = run_rounds(run, push=True, say=say)
    print_summary(run, releases, evaluation, say, full=full)
    point_to_page(run, open_=open)
    next_step(f"clincot hub serve {hub.removeprefix('local:')}" if hub.startswith("local:") else "clincot evaluate")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("demo")(demo)
