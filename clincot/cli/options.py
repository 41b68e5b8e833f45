"""The options that the stage commands share -> one `Options` object, from which a run is opened."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clincot.benchmarks import BENCHMARKS
from clincot.cli import kept_options
from clincot.cli.choices import HARDWARE, RECIPES, SETTINGS, completing, kinds, listed
from clincot.cli.kept_options import Kept
from clincot.recipe.own_data import is_path

if TYPE_CHECKING:
    from clincot.recipe import Recipe
    from clincot.runs.run import Run


RUNS = Path("runs")  # below the folder in which the command runs


@dataclass(frozen=True)
class Options:
    """The options of every stage command; the fields are in the order of `--help`."""

    recipe: Annotated[
        str,
        typer.Option(
            help=f"Shipped recipe or path: a method and its numbers. {listed(RECIPES)}",
            autocompletion=completing(RECIPES),
        ),
    ] = "clincot"
    setting: Annotated[
        str,
        typer.Option(
            help=f"Shipped setting or path: models, benchmark, Hub, sizes. {listed(SETTINGS)}",
            autocompletion=completing(SETTINGS),
        ),
    ] = "phantom"
    hardware: Annotated[
        str,
        typer.Option(
            help=f"Shipped hardware file or path: how models are loaded, batch sizes. {listed(HARDWARE)}",
            autocompletion=completing(HARDWARE),
        ),
    ] = ""
    benchmark: Annotated[
        str,
        typer.Option(
            help=f"Benchmark instead of the setting's, or own data: a path, OWNER/NAME[@REV]. {listed(BENCHMARKS)}",
            autocompletion=completing(BENCHMARKS),
        ),
    ] = ""
    set: Annotated[
        list[str] | None,
        typer.Option("--set", help=f"Override a value: --set method.steps=3 (repeatable). {kinds()}"),
    ] = None
    name: Annotated[str, typer.Option(help="Name of the run instead of recipe-setting-benchmark.")] = ""
    hub: Annotated[str, typer.Option(help="Target Hub: local:PATH or a URL.")] = ""
    namespace: Annotated[str, typer.Option(help="User or organisation to push to.")] = ""
    public: Annotated[bool, typer.Option("--public", help="Push publicly; pushes are private otherwise.")] = False
    acknowledge_licence: Annotated[
        list[str] | None,
        typer.Option(
            "--acknowledge-licence",
            metavar="NAME",
            help="You have read this licence's clause on a model's outputs; --public needs it (repeatable).",
        ),
    ] = None

    def open(self, round: int = 0) -> Run:
        """Read the recipe and open the run. Raises RecipeError, HubError, DataError (--public where it is barred).

        Everything that a user wrote is checked before a folder is made or a Hub is asked, a `round` too (0: none).
        `--name` of a run that exists, without recipe, setting and benchmark, means the options that the run keeps; a
        `--set` is laid over them for this command alone.
        """
        from clincot.runs.checks import check_round
        from clincot.runs.redistribution.clauses import check_known
        from clincot.runs.redistribution.licences import check_public
        from clincot.runs.run import open_run

        full, recipe = self.read()
        check_round(recipe, round)
        known = tuple(self.acknowledge_licence or ())
        check_known(known)
        check_public(recipe.benchmark, not self.public)
        run = open_run(
            recipe,
            name=self.name or None,
            hub=full.hub or None,
            namespace=full.namespace or None,
            private=not self.public,
            acknowledged=known,
            folder=RUNS,
        )
        if kept_options.read(run.folder) is None:
            kept_options.write(run.folder, self._to_keep())
        return run

    def read(self) -> tuple[Options, Recipe]:
        """Return the options with those that the run `--name` keeps, and the checked recipe; nothing is made or asked.

        Raises RecipeError.
        """
        from clincot.recipe import load_recipe
        from clincot.runs.checks import check_names, check_run_name

        if self.name:
            check_run_name(self.name, given=True)
        kept = self._kept()
        full = self if kept is None else self._over(kept)
        recipe = load_recipe(
            full.recipe,
            full.setting,
            benchmark=full.benchmark or None,
            hardware=full.hardware or None,
            overrides=full.set or (),
        )
        check_names(recipe)
        return full, recipe

    def _kept(self) -> Kept | None:
        spoken = any(getattr(self, entry) != getattr(Options, entry) for entry in ("recipe", "setting", "benchmark"))
        return kept_options.read(RUNS / self.name) if self.name and not spoken else None

    def _over(self, kept: Kept) -> Options:
        return replace(
            self,
            recipe=kept.recipe,
            setting=kept.setting,
            benchmark=kept.benchmark,
            hardware=self.hardware or kept.hardware,
            set=[*kept.set, *(self.set or ())],
            hub=self.hub or kept.hub,
            namespace=self.namespace or kept.namespace,
        )

    def _to_keep(self) -> Kept:
        named = (self.recipe, self.setting, self.hardware)
        recipe, setting, hardware = (str(Path(name).resolve()) if Path(name).is_file() else name for name in named)
        benchmark = str(Path(self.benchmark).expanduser().absolute()) if is_path(self.benchmark) else self.benchmark
        return Kept(recipe, setting, benchmark, tuple(self.set or ()), self.hub, self.namespace, hardware=hardware)

    def having(self, override: str) -> Options:
        """Return the options with one more override, unless it is among them."""
        given = self.set or []
        return self if override in given else replace(self, set=[*given, override])

    def with_recipe(self, recipe: str) -> Options:
        """Return the options with `recipe` where none is named and the run `--name` keeps none."""
        return self if self.recipe != Options.recipe or self._kept() is not None else replace(self, recipe=recipe)

    def command(self, run: Run, verb: str, *extra: str) -> str:
        """Return a command line that goes on with `run`, as the next step to print.

        It is short, the run's name and what the run does not keep, unless this command's options begin otherwise.
        """
        kept = self._kept()
        full, held = (self, kept_options.read(run.folder)) if kept is None else (self._over(kept), kept)
        own = full._to_keep()
        public = [*(["--public"] if self.public else []), *self._acknowledgements()]
        if held is None or not own.extends(held):
            return shlex.join(["clincot", verb, *extra, *full._words(), *public])
        more = replace(Options(), set=list(own.beyond(held)))
        words = [
            w
            for name in ("hub", "namespace")
            if (v := getattr(own, name)) != getattr(held, name)
            for w in (f"--{name}", v)
        ]
        return shlex.join(["clincot", verb, *extra, "--name", run.name, *more._words(), *words, *public])

    def _acknowledgements(self) -> list[str]:
        return [word for name in self.acknowledge_licence or () for word in ("--acknowledge-licence", name)]

    def _words(self) -> list[str]:
        words = []
        for entry in fields(self):
            value = getattr(self, entry.name)
            if value and value != entry.default and value is not True and entry.name != "acknowledge_licence":
                values = value if isinstance(value, list) else [value]
                words += [word for one in values for word in (f"--{entry.name}", one)]
        return words


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command(options, **own)` the shared options on the command line, after its own."""
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
