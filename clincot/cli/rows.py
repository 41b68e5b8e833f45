"""`clincot import-rows | export-rows`: preference rows of other projects as a round, and a round as their rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from clincot.cli.console import Json, next_step, print_json, say
from clincot.cli.options import Options, with_options
from clincot.cli.row_options import Format, Images, Kept, Licence, Margin, checked, for_rows
from clincot.cli.stages import DryRun, NewVersion, Push, Round, check_push, report
from clincot.errors import ClincotError
from clincot.executors.world import world_of

if TYPE_CHECKING:
    from clincot.benchmarks.base import Privacy
    from clincot.recipe import Conditioning

Source = Annotated[str, typer.Argument(metavar="FILE|REPO[@REV][:PATH]", help="A file of rows, or a Hub's dataset.")]
Language = Annotated[list[str] | None, typer.Option("--language", help="Language of the texts: en (repeatable).")]
Gold = Annotated[
    Path | None, typer.Option("--gold", help="File of questions, images and answers; other chosen texts are left out.")
]
Keep = Annotated[
    list[str] | None, typer.Option("--keep", help="Rule that leaves nothing out: leak, not-gold, zero-weight.")
]
MaxBroken = Annotated[
    float, typer.Option("--max-broken", min=0, max=1, help="Largest share of rows that may be no pairs.")
]


Which = Annotated[str, typer.Argument(metavar="ROUND", help="Which round: 1, round-1, or round-1-v2 for one version.")]
Out = Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")]
CONDITIONINGS = ("per_side", "winner", "global")
Conditioned = Annotated[
    str,
    typer.Option("--conditioning", help="Images of a pair whose sides have a crop each: per_side, winner or global."),
]


@with_options
def import_rows(
    options: Options,
    source: Source,
    format: Format = "",
    images: Images = None,
    licence: Licence = "",
    privacy: Kept = "restricted",
    language: Language = None,
    margin: Margin = "none",
    gold: Gold = None,
    keep: Keep = None,
    max_broken: MaxBroken = 0.01,
    round: Round = 1,
    push: Push = False,
    new_version: NewVersion = False,
    dry_run: DryRun = False,
    json_: Json = False,
) -> None:
    """Make a round of preference rows from elsewhere (recipe `rows`, unless another is named); nothing is sampled."""
    world_of().refuse_company("clincot import-rows")
    checked(source, format, images, margin, licence, privacy, keep=keep or [], gold=gold)
    options = for_rows(options, margin)
    run = options.open(round)
    check_push(run, push and not dry_run)
    from clincot.runs import api
    from clincot.runs.rounds.imported import RowsToImport

    rows = RowsToImport(
        source,
        format,
        images,
        licence,
        tuple(language or ()),
        cast("Privacy", privacy),
        margin,
        gold,
        tuple(keep or ()),
        max_broken,
    )
    release = api.import_rows(run, rows, round, new_version=new_version, say=say).release
    report(run, release, push=push, dry_run=dry_run)
    if json_:
        print_json({"dataset": release.repo, "tag": release.tag, **release.lineage.facts})
    next_step(options.command(run, "train", "--round", str(round)))


@with_options
def export_rows(options: Options, round: Which, out: Out, format: Format = "", conditioning: Conditioned = "") -> None:
    """Write a round's pairs as rows for another project, with their images, into a folder."""
    world_of().refuse_company("clincot export-rows")
    _check_export(out, format, conditioning)
    run = options.open()
    from clincot.runs.rounds.exported import export_round

    done = export_round(run, round, out, format, cast("Conditioning | None", conditioning or None))
    for reason, count in done.outcome.left_out.items():
        say(f"left out: {count:,} rows {reason}")
    if done.outcome.weighted:
        say(f"{done.outcome.weighted:,} rows have a weight other than 1, which other trainers may not read")
    say(f"wrote {done.outcome.rows:,} rows and {len(done.outcome.images):,} images of {done.pin} to {out}")
    if done.sealed:
        say("for this machine alone: images and reference texts must not be passed on")
    typer.echo(done.use)


def _check_export(out: Path, format: str, conditioning: str) -> None:
    from clincot.runs.checks import rows

    rows.check_format(format)
    if conditioning not in ("", *CONDITIONINGS):
        known = ", ".join(CONDITIONINGS)
        raise ClincotError(f"--conditioning {conditioning}: is not one of {known}. Leave it out for the recipe's.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ClincotError(f"{out}: exists and is not empty. Name a new folder.")


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("import-rows")(import_rows)
    app.command("export-rows")(export_rows)
