"""`clincot table 1|2`: the rows of the paper's tables; what is missing is run, what is there is shown."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from clincot.benchmarks import BENCHMARKS
from clincot.cli.choices import HARDWARE, SETTINGS, completing, listed
from clincot.cli.console import Json, print_json, say
from clincot.cli.options import RUNS
from clincot.errors import RecipeError, did_you_mean
from clincot.executors.world import world_of

if TYPE_CHECKING:
    from clincot.report.table.values import PaperTable
    from clincot.runs.tables.plan import Asked, Plan

STARTS = {1: "base,sft", 2: "base"}
PIPED = 80  # columns of a table in a log or a pipe
RESULTS = "results"  # below the runs, where --results names no folder

Number = Annotated[int, typer.Argument(metavar="1|2", help="1: methods, from two starts; 2: ablations of ClinCoT.")]
Starts = Annotated[str, typer.Option("--start", help="base, sft or both with a comma (Table 1: both; Table 2: base).")]
Seeds = Annotated[int, typer.Option("--seeds", help="Seeds of every trained row, from 0 on.")]
Rows = Annotated[
    str, typer.Option("--rows", help="Only these rows, with commas; names of other recipes and files are rows too.")
]
Benchmark = Annotated[
    str,
    typer.Option(
        help=f"Benchmark instead of the setting's, or own data. {listed(BENCHMARKS)}",
        autocompletion=completing(BENCHMARKS),
    ),
]
Setting = Annotated[
    str, typer.Option(help=f"Shipped setting or path. {listed(SETTINGS)}", autocompletion=completing(SETTINGS))
]
Hardware = Annotated[
    str, typer.Option(help=f"Shipped hardware file or path. {listed(HARDWARE)}", autocompletion=completing(HARDWARE))
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Override a value in every row; a method's by --set methods.clincot.steps=3 (repeatable)."
    ),
]
Results = Annotated[
    Path | None, typer.Option("--results", help="Folder of the results, small JSON files (default: runs/results).")
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the runs that make them.")]
Target = Annotated[str, typer.Option("--hub", help="Target Hub: local:PATH or a URL.")]
List = Annotated[bool, typer.Option("--list", help="List rows, what each needs and what is there; run nothing.")]
Import = Annotated[list[Path] | None, typer.Option("--import", help="Take results from elsewhere (repeatable).")]
Again = Annotated[bool, typer.Option("--again", help="Make the rows again, also those that are there.")]
Tune = Annotated[
    bool, typer.Option("--tune", help="Try six learning rates and betas of every row on validation first; same budget.")
]
Show = Annotated[bool, typer.Option("--show", help="Show what is there; run nothing.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Write table-N.md, .csv, .tex and .html into this folder (default: that of the results);"
        " table-N-sft.md with --start sft, table-N-part.md with --rows.",
    ),
]
Label = Annotated[
    str, typer.Option("--protocol", help="Protocol of the columns: paper, or the one that was asked under.")
]


def table(
    number: Number,
    benchmark: Benchmark = "",
    start: Starts = "",
    seeds: Seeds = 1,
    rows: Rows = "",
    setting: Setting = "phantom",
    hardware: Hardware = "",
    set: Set = None,
    results: Results = None,
    runs: Runs = RUNS,
    hub: Target = "",
    list_: List = False,
    show: Show = False,
    import_: Import = None,
    again: Again = False,
    tune: Tune = False,
    out: Out = None,
    protocol: Label = "paper",
    json_: Json = False,
) -> None:
    """Make the rows of one of the paper's tables that are missing, and show the table."""
    world_of().refuse_company("clincot table")
    asked = _asked(number, start, seeds, rows, setting, benchmark, hardware, set or [])
    from clincot.runs.checks import check_protocols
    from clincot.runs.tables.plan import plan
    from clincot.runs.tables.table import begin, import_results, make, present

    check_protocols([protocol])
    planned, folder = plan(asked), results or runs / RESULTS
    tuning: tuple[tuple[str, ...], ...] = ()
    if tune and not list_:
        planned, tuning = _tuned(planned, folder, protocol, runs=runs, hub=hub, only_there=show)
    for path in import_ or []:
        say(f"took {len(import_results(path, planned, folder))} from {path}")
    there = present(planned, folder, again=again)
    if list_:
        return _list(planned, {one.name for one in there.found}, json_)
    made, left_out, failed = list(there.all), dict[str, str](), dict[str, str]()
    if there.missing and not show:
        begun = begin(planned, there.missing, runs=runs, hub=hub, say=say)
        made += make(planned, begun, folder, say, there=made)
        left_out, failed = begun.reasons, begun.failed
    if not made:
        _refuse(failed)
        raise RecipeError(
            f"--show: {folder / planned.world} holds no result of these rows. Leave --show out to make them."
        )
    from clincot.runs.tables.summing import summed

    found = summed(planned, made, label=protocol, why=left_out, tuning=tuning)
    _write(found, out or folder / planned.world, _file_name(asked), json_)
    if show and there.missing:
        say(f"{len(there.missing)} results of these rows are missing. The same command without --show makes them.")
    _refuse(failed)


def _refuse(failed: dict[str, str]) -> None:
    """Leave with the first job that could not be made, once all others are made and shown."""
    if failed:
        name, why = next(iter(failed.items()))
        rest = f" The others without a result: {', '.join(list(failed)[1:])}." if len(failed) > 1 else ""
        raise RecipeError(f"{name}: {why}{rest}")


def _tuned(planned: Plan, folder: Path, protocol: str, **where: Any) -> tuple[Plan, tuple[tuple[str, ...], ...]]:
    """Return the plan with the settings that a search on validation chose, and the lines of all trials, printed."""
    from clincot.runs.tables.plan import plan
    from clincot.runs.tables.tuning import search

    found = search(planned, folder, protocol, say=say, **where)
    for line in found.lines:
        say("  ".join(line))
    return plan(found.asked), found.lines


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("table")(table)


def _asked(
    number: int, start: str, seeds: int, rows: str, setting: str, benchmark: str, hardware: str, overrides: list[str]
) -> Asked:
    """Check what needs no recipe. Raises RecipeError."""
    from clincot.runs.tables.plan import Asked

    names = [name.strip() for name in (start or STARTS.get(number, "base")).split(",") if name.strip()]
    for name in names:
        if name not in ("base", "sft"):
            raise RecipeError(f"--start {name}: is no start.{did_you_mean(name, ('base', 'sft'))}")
    starts: tuple[Literal["base", "sft"], ...] = tuple(one for one in ("base", "sft") if one in names)  # type: ignore[misc]
    wanted = tuple(name.strip() for name in rows.split(",") if name.strip())
    return Asked(number, starts, seeds, wanted, setting, benchmark, hardware, tuple(overrides))


def _list(plan: Plan, there: set[str], json_: bool) -> None:
    """Print every job with what it needs; nothing is run."""
    from clincot.report.terminal import stdout_width, table_lines, wrapped
    from clincot.runs.tables.reach import models_of

    lines = [
        {
            "result": job.name,
            "there": job.name in there,
            "rounds": job.recipe.rounds,
            "images": None if job.is_base else job.recipe.build.max_images,
            "needs": sorted(job.needs),
            "after": [one.name for one in job.after],
        }
        for job in plan.jobs
    ]
    models = {role: model for job in plan.jobs for role, model in models_of(job.recipe).items()}
    if json_:
        values = {"table": plan.asked.table, "world": plan.world, "results": lines, "models": models}
        return print_json(values | {"left_out": plan.left_out})
    header = ["result", "there", "rounds", "images a round", "needs", "after"]
    cells = [[_word("all" if key == "images" and value == 0 else value) for key, value in one.items()] for one in lines]
    width = stdout_width() or PIPED
    left_out = [f"left out: {name}: {why}" for name, why in plan.left_out.items()]
    for text in table_lines((header, cells), width):
        typer.echo(text)
    for text in ("", *(f"{role}: {model}" for role, model in models.items()), *left_out):
        for part in wrapped(text, width):
            typer.echo(part)


def _word(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _file_name(asked: Asked) -> str:
    """Return what the files are called; some starts or rows do not take the place of the whole table."""
    starts = "".join(f"-{start}" for start in asked.starts)
    every = starts == f"-{STARTS.get(asked.table, 'base').replace(',', '-')}"
    return f"table-{asked.table}{'' if every else starts}{'-part' if asked.rows else ''}"


def _write(table: PaperTable, folder: Path, name: str, json_: bool) -> None:
    """Print the table and write it in every format."""
    from clincot.report.table.csv_text import csv_text
    from clincot.report.table.latex import latex
    from clincot.report.table.markdown import markdown
    from clincot.report.table.page import table_page
    from clincot.report.table.screen import screen_lines
    from clincot.report.terminal import stdout_width

    folder.mkdir(parents=True, exist_ok=True)
    writers = {"md": markdown, "csv": csv_text, "tex": latex, "html": table_page}
    for end, write in writers.items():
        (folder / f"{name}.{end}").write_text(write(table), encoding="utf-8")
    if json_:
        print_json(asdict(table))
    else:
        for line in screen_lines(table, stdout_width() or PIPED):
            typer.echo(line)
    say(f"\n{folder / name}.{{{','.join(writers)}}}")
