"""`clincot recipe new | show`: a file that begins a recipe of one's own; the values of a recipe and their origins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clincot.cli.choices import RECIPES, completing, listed
from clincot.cli.console import Json, next_step, print_json, say
from clincot.cli.options import Options, with_options

if TYPE_CHECKING:
    from clincot.recipe import Recipe
    from clincot.recipe.origins import Value

app = typer.Typer(
    help="Begin a recipe of your own; show what a recipe comes to.", no_args_is_help=True, rich_markup_mode=None
)
Name = Annotated[str, typer.Argument(help="Name of the recipe; the file is NAME.yaml in this folder.")]
Extends = Annotated[
    str,
    typer.Option(
        "--extends",
        help=f"The recipe whose values it has: a shipped one, or a path. {listed(RECIPES)}",
        autocompletion=completing(RECIPES),
    ),
]


@app.command("new")
def new(name: Name, extends: Extends = "clincot") -> None:
    """Write a recipe file that extends another one, with every value, its meaning and its range as comments."""
    from clincot.runs.recipes import new_recipe

    path = new_recipe(name, extends, Path())
    say(f"wrote {path}: it has the values of {extends} until you change one")
    next_step(f"clincot recipe show --recipe {path}")


@app.command("show")
@with_options
def show(options: Options, json_: Json = False) -> None:
    """Print a recipe's values as they resolve, as YAML, with the file or option that each came from.

    Of models, values that are the default are left out; with --json they are not.
    """
    from clincot.recipe.commented import Noted, commented

    full, recipe = options.read()
    values = _values(full, recipe)
    if json_:
        return print_json([_plain(one) for one in values])
    given = [one for one in values if one.origin.origin != "default" or one.path[0] != "models" or len(one.path) < 3]
    lines = commented(Noted(one.path, one.value, one.origin.origin) for one in given)
    typer.echo("\n".join(lines))


def _values(full: Options, recipe: Recipe) -> list[Value]:
    from clincot.recipe.files import Layer
    from clincot.recipe.layers import layers_of
    from clincot.recipe.origins import values_of

    layers = layers_of(
        full.recipe,
        full.setting,
        benchmark=full.benchmark or None,
        hardware=full.hardware or None,
        overrides=full.set or (),
    )
    own = {"hub": full.hub, "namespace": full.namespace}  # laid over the recipe when a run opens
    return [
        replace(one, value=own[one.key], origin=Layer({}, f"--{one.key}")) if own.get(one.key) else one
        for one in values_of(recipe, layers)
    ]


def _plain(one: Value) -> dict[str, Any]:
    return {"key": one.key, "value": one.value, "from": one.origin.origin, "file": one.origin.path}
