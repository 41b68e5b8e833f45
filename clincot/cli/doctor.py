"""`clincot doctor`: versions, devices, the memory of a recipe's stages against what is there, and its servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clincot.cli.console import Json, print_json
from clincot.cli.options import Options, with_options
from clincot.errors import ModelError, RecipeError

if TYPE_CHECKING:
    from clincot.recipe import Recipe

GpuMemory = Annotated[
    float, typer.Option(min=0, max=10_000, metavar="GIB", help="Ask about GPUs of this size instead of this machine's.")
]
Gpus = Annotated[int, typer.Option(min=1, max=1024, help="How many, with --gpu-memory.")]
Servers = Annotated[
    bool, typer.Option("--servers", help="Ask the recipe's servers what a run will ask them, instead of the above.")
]
Compare = Annotated[
    bool, typer.Option("--compare", help="With --servers: load the policy here too, and compare what both write.")
]


@with_options
def doctor(
    options: Options,
    json_: Json = False,
    gpu_memory: GpuMemory = 0.0,
    gpus: Gpus = 1,
    servers: Servers = False,
    compare: Compare = False,
) -> None:
    """Show versions and devices, and whether the stages of a recipe fit into memory here; loads no weights.

    Exit code 1 where a stage does not fit; with --servers, 2 where a server cannot do what a run asks of it.
    """
    full, recipe = options.read()
    if compare and not servers:
        raise RecipeError("--compare: compares a server with the policy loaded here. Add --servers.")
    if servers:
        return _servers(recipe, full.hub or None, json_, compare)
    from clincot.runs.doctor.examine import examine

    report = examine(recipe, full.hub or None, gpu_memory=gpu_memory, gpus=gpus, namespace=full.namespace)
    if json_:
        print_json(report.values())
    else:
        typer.echo("\n".join(report.lines()))
    if not report.fits:
        raise typer.Exit(1)


def _servers(recipe: Recipe, hub: str | None, json_: bool, compare: bool) -> None:
    from clincot.runs.doctor.servers.roles import served_roles

    served_roles(recipe)  # before the libraries are imported
    from clincot.runs.doctor.servers.examine import examine_servers

    report = examine_servers(recipe, hub, compare=compare)
    if json_:
        print_json(report.values())
    else:
        typer.echo("\n".join(report.lines()))
    if report.failed:
        raise ModelError(f"{'; '.join(report.failed)}: not as a run needs it. The table says what to do.")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("doctor")(doctor)
