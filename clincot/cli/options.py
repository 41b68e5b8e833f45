"""The options that the stage commands share -> one `Options` object, from which a run is opened."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from clincot.rounds.run import Run


@dataclass(frozen=True)
class Options:
    """What every stage command may be told; the fields are the options, in the order of `--help`."""

    recipe: Annotated[str, typer.Option(help="Shipped recipe or path: a method and its numbers.")] = "clincot"
    setting: Annotated[str, typer.Option(help="Shipped setting or path: models, benchmark, Hub, sizes.")] = "phantom"
    benchmark: Annotated[str, typer.Option(help="Benchmark instead of the setting's.")] = ""
    set: Annotated[
        list[str] | None, typer.Option("--set", help="Override a value: --set build.steps=3 (repeatable).")
    ] = None
    name: Annotated[str, typer.Option(help="Name of the run instead of recipe-setting-benchmark.")] = ""
    hub: Annotated[str, typer.Option(help="Target Hub: local:PATH or a URL.")] = ""
    namespace: Annotated[str, typer.Option(help="User or organisation to push to.")] = ""
    public: Annotated[bool, typer.Option("--public", help="Push publicly; pushes are private otherwise.")] = False

    def open(self) -> Run:
        """Read the recipe and open the run. Raises RecipeError, HubError, DataError (--public where it is barred)."""
        from clincot.recipe import load_recipe
        from clincot.rounds.licences import check_public
        from clincot.rounds.run import check_names, open_run

        recipe = load_recipe(self.recipe, self.setting, benchmark=self.benchmark or None, overrides=self.set or ())
        check_names(recipe)
        check_public(recipe.benchmark, not self.public)
        return open_run(
            recipe,
            name=self.name or None,
            hub=self.hub or None,
            namespace=self.namespace or None,
            private=not self.public,
        )

    def having(self, override: str) -> Options:
        """Return the options with one more override, unless it is among them."""
        given = self.set or []
        return self if override in given else replace(self, set=[*given, override])

    def command(self, verb: str, *extra: str) -> str:
        """Return a command line with the same run options, as the next step to print."""
        words = ["clincot", verb, *extra]
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value and value != entry.default:
                flag = f"--{entry.name}"
                words += [flag] if value is True else [w for v in _listed(value) for w in (flag, v)]
        return shlex.join(words)


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command(options, **own)` the shared options on the command line, behind its own."""
    own = [p for name, p in inspect.signature(command, eval_str=True).parameters.items() if name != "options"]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=p.default, annotation=p.annotation)
        for name, p in inspect.signature(Options, eval_str=True).parameters.items()
    ]

    @wraps(command)
    def run(**values: Any) -> None:
        options = Options(**{p.name: values.pop(p.name) for p in shared})
        command(options, **values)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    del run.__wrapped__  # type: ignore[attr-defined]
    return run


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [str(value)]
