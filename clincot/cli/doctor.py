"""`clincot doctor`: versions, devices, and the memory of a recipe's stages against what is there."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from clincot.cli.options import Options, with_options

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout instead of the tables.")]
GpuMemory = Annotated[
    float, typer.Option(min=0, max=10_000, metavar="GIB", help="Ask about GPUs of this size instead of this machine's.")
]
Gpus = Annotated[int, typer.Option(min=1, max=1024, help="How many, with --gpu-memory.")]


@with_options
def doctor(options: Options, json_: Json = False, gpu_memory: GpuMemory = 0.0, gpus: Gpus = 1) -> None:
    """Show versions and devices, and whether the stages of a recipe fit into memory here; loads no weights.

    Exit code 1 where a stage does not fit.
    """
    full, recipe = options.read()
    from clincot.runs.doctor.examine import examine

    report = examine(recipe, full.hub or None, gpu_memory=gpu_memory, gpus=gpus)
    if json_:
        typer.echo(json.dumps(report.values(), indent=1))
    else:
        typer.echo("\n".join(report.lines()))
    if not report.fits:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("doctor")(doctor)
