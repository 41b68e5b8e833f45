"""`clincot app`: a page on which people drop an image and ask; `--export-space` writes it as a Space."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.ask import AdapterName
from clincot.cli.console import say
from clincot.cli.hub_checks import check_address, check_free
from clincot.cli.options import Options, with_options
from clincot.executors.world import world_of

Host = Annotated[str, typer.Option(help="Address to listen on (default: this machine alone; all inside a Space).")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
Export = Annotated[
    Path | None,
    typer.Option("--export-space", metavar="DIR", help="Write the page as a folder for a Gradio Space and stop."),
]


@with_options
def app(
    options: Options, adapter: AdapterName = "", host: Host = "", port: Port = 7860, export_space: Export = None
) -> None:
    """Serve a page: drop an image, ask, and compare base and adapter. Not for clinical use."""
    from clincot.errors import ClincotError
    from clincot.runs.app.places import check_place, host_of_page, reaches_others
    from clincot.runs.checks.asked import BASE, check_policies

    world_of().refuse_company("clincot app")
    name, at, tag = adapter.partition("@")
    if at and "/" not in name:
        options, adapter = replace(options, name=name), tag
    check_policies([adapter])
    if export_space is not None:
        _export(options, adapter, export_space)
        return
    if find_spec("gradio") is None:
        raise ClincotError("clincot app: Gradio is not installed. Run `pip install 'clincot[app]'`.")
    listening = host_of_page(host)
    check_address(listening)
    check_free(listening, port)
    check_place(options.read()[1], listening, port)
    run = options.open()
    from clincot.runs.app.page import serve
    from clincot.runs.asking import load_asking
    from clincot.runs.prepare import prepare

    prepare(run, say)
    asking = load_asking(run, (BASE, adapter))
    if reaches_others(listening):
        say(f"WARNING: other machines reach {listening}, and the page asks for no password.")
    serve(asking, run.name, listening, port, say)


def register(app_: typer.Typer) -> None:
    """Add the command to the app."""
    app_.command("app")(app)


def _export(options: Options, adapter: str, folder: Path) -> None:
    from clincot.errors import ClincotError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ClincotError(f"{folder}: exists and is not empty. Name a new folder with --export-space.")
    run = options.open()
    from clincot.runs.app.space import export_space

    for line in export_space(run, adapter, folder):
        say(line)
    typer.echo(folder)
