"""`clincot blinded export | import`: two answers in hidden order for readers, and what the readers' choices say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clincot.cli.console import Json, print_json, say
from clincot.cli.options import Options, with_options
from clincot.executors.world import world_of

if TYPE_CHECKING:
    from clincot.report.blinded.figures import Figure, Reading

app = typer.Typer(help="Blinded A/B sheets for readers.", no_args_is_help=True, rich_markup_mode=None)

Source = Annotated[
    str,
    typer.Argument(metavar="ROUND|ROW", help="A round, REPO@REV or folder of pairs; with SECOND a row of results."),
]
Second = Annotated[str, typer.Argument(metavar="[SECOND]", help="A second row of results, as in `clincot compare`.")]
Out = Annotated[Path, typer.Option("--out", help="HTML file for readers; the key is written next to it.")]
Items = Annotated[int, typer.Option("--items", min=1, max=2_000, help="How many questions at most.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the choice and the order.")]
Reference = Annotated[bool, typer.Option("--reference", help="Show readers the reference answer.")]
KeyFile = Annotated[Path, typer.Argument(metavar="KEY", help="The key that `export` wrote.")]
Files = Annotated[list[Path], typer.Argument(metavar="CHOICES...", help="The files of all readers, JSON or CSV.")]


@app.command("export")
@with_options
def export(
    options: Options,
    source: Source,
    second: Second = "",
    out: Out = Path("sheet.html"),
    items: Items = 50,
    seed: Seed = 0,
    reference: Reference = False,
) -> None:
    """Write a sheet of questions with two answers each, in hidden random order, and its key."""
    from clincot.errors import ClincotError
    from clincot.runs.checks.rows import check_view

    world_of().refuse_company("clincot blinded")
    if not second:
        check_view(source)
    if out.suffix.lower() != ".html":
        raise ClincotError(f"--out {out}: does not end in .html. Name a file such as sheet.html.")
    taken = next((path for path in (out, out.with_suffix(".key.json")) if path.exists()), None)
    if taken:
        raise ClincotError(f"{taken}: exists already, and readers may have its sheet. Name a new file with --out.")
    run = options.open()
    from clincot.runs.blinded import of_answers, of_round, write_sheet

    offered = of_answers(run, source, second) if second else of_round(run, source)
    done = write_sheet(offered, out, count=items, seed=seed, reference=reference)
    say(f"{done.items:,} questions; {done.alike:,} others have two equal answers")
    if done.sealed:
        say("for this machine alone: images and texts must not be passed on")
    say(f"send {done.page} to readers; keep {done.key}: it says which answer is whose")
    typer.echo(done.page)


@app.command("import")
def import_(key: KeyFile, files: Files, json_: Json = False) -> None:
    """Read the choices of readers: win rate, agreement of readers and of judges, with intervals over images."""
    from dataclasses import asdict

    from clincot.report.blinded.choices import read_choices
    from clincot.report.blinded.figures import read_out
    from clincot.report.blinded.items import read_key

    held = read_key(key)
    reading = read_out(held, read_choices(files, held))
    if json_:
        print_json(asdict(reading))
    else:
        _print(reading)


def _print(reading: Reading) -> None:
    first, second = reading.sides
    typer.echo(f"{reading.source}: {reading.items} items")
    typer.echo(f"\nHow often {first} is preferred to {second} (no difference counts half, 95 % interval over images)")
    for one in (*reading.readers, *([reading.everyone] if len(reading.readers) > 1 else [])):
        counts = f"{one.first} to {one.second}, {one.same} the same, {one.unsure} not judged"
        typer.echo(f"  {one.reader}: {_percent(one.rate)}  {counts}")
    for title, found in (("Readers among themselves", reading.agreement), ("Readers and judges", reading.judges)):
        if found:
            typer.echo(f"\n{title} (equal choices; Cohen's kappa)")
        for pair in found:
            typer.echo(f"  {pair.one} and {pair.other}: {_percent(pair.share)}; kappa {_plain(pair.kappa)}")


def _percent(figure: Figure) -> str:
    if figure.value is None:
        return "no item"
    between = "" if figure.low is None else f" ({100 * figure.low:.1f} to {100 * (figure.high or 0):.1f})"
    return f"{100 * figure.value:.1f} %{between} of {figure.n} items, {figure.images} images"


def _plain(figure: Figure) -> str:
    if figure.value is None:
        return "not defined (one of them gave one choice alone)" if figure.n else "not defined"
    return f"{figure.value:.2f}" + ("" if figure.low is None else f" ({figure.low:.2f} to {figure.high or 0:.2f})")
