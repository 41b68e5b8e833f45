"""`clincot build-data | pair | train | run`: one command per stage, and the loop over them.

A body opens its run before it imports a stage: the stages import Hub clients, which read HF_ENDPOINT when they load.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from clincot.cli.choices import BY, completing
from clincot.cli.console import next_step, say
from clincot.cli.first_page import Full, Open, point_to_page
from clincot.cli.options import Options, with_options
from clincot.cli.row_options import Format, Images, Kept, Licence, Margin, checked, for_rows
from clincot.errors import RecipeError
from clincot.executors.world import world_of
from clincot.objectives import OBJECTIVES
from clincot.recipe.choices import is_known

if TYPE_CHECKING:
    from clincot.benchmarks.base import Privacy
    from clincot.executors.base import Executor
    from clincot.runs.releases import Release
    from clincot.runs.run import Run

Round = Annotated[int, typer.Option("--round", min=1, help="Which round.")]
Push = Annotated[bool, typer.Option("--push", help="Publish the tagged result to the target Hub.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write and list what --push would publish; push nothing.")]
Restore = Annotated[
    bool, typer.Option("--restore-images", help="Write a round's full rows from your own copy of the benchmark.")
]
OldRestore = Annotated[bool, typer.Option("--rebuild-images", hidden=True)]  # its name until November 2026
Repair = Annotated[bool, typer.Option("--repair-pairs", hidden=True)]  # now a command
Objective = Annotated[
    str, typer.Option("--objective", help="sft: train what round 1 starts from on gold answers. Else the recipe's.")
]
Rows = Annotated[
    str, typer.Option("--rows", help="Import these rows first, as `clincot import-rows` does: FILE|REPO[@REV][:PATH].")
]
NewVersion = Annotated[
    bool, typer.Option("--new-version", help="Make round-N-v2 when round-N exists with other content.")
]
Workers = Annotated[
    int, typer.Option("--workers", min=0, help="Processes that build and answer (0: this one; with ray: all that fit).")
]
By = Annotated[
    str,
    typer.Option(
        "--executor", help="Whose processes: local, or ray (the cluster of RAY_ADDRESS).", autocompletion=completing(BY)
    ),
]
Exclude = Annotated[
    Path | None, typer.Option("--exclude", help="Leave out the pairs of a veto file, which the page of `view` writes.")
]
GOLD = "sft"  # an objective of the command line alone: rounds never train by it


@with_options
def build_data(
    options: Options,
    round: Round = 1,
    push: Push = False,
    new_version: NewVersion = False,
    dry_run: DryRun = False,
    restore_images: Restore = False,
    workers: Workers = 0,
    executor: By = "local",
    rebuild_images: OldRestore = False,
    repair_pairs: Repair = False,
) -> None:
    """Build a round's preference dataset: hypotheses, regions, candidates, judges, pairs."""
    if rebuild_images:
        raise RecipeError("build-data: --rebuild-images has another name now. Give --restore-images.")
    if repair_pairs:
        raise RecipeError(
            "build-data: --repair-pairs is a separate command now. Run `clincot pair` with the same options."
        )
    world_of().refuse_company("clincot build-data")
    run = options.open(round)
    check_push(run, push and not dry_run and not restore_images)
    if restore_images:
        return _restore(run, round)
    from clincot.runs.api import build

    by = executor_of(run, executor, workers)
    release = build(run, round, new_version=new_version, say=say, executor=by).release
    report(run, release, push=push, dry_run=dry_run)
    next_step(options.command(run, "train", "--round", str(round)))


@with_options
def pair(
    options: Options, round: Round = 1, exclude: Exclude = None, push: Push = False, dry_run: DryRun = False
) -> None:
    """Draw a finished round's pairs again by other numbers, as a new version; no model is loaded."""
    from clincot.runs.checks.vetoes import read_vetoes

    world_of().refuse_company("clincot pair")
    if exclude is not None:
        read_vetoes(exclude)  # before a folder is made
    run = options.open(round)
    check_push(run, push and not dry_run)
    from clincot.runs import api

    report(run, api.pair(run, round, exclude=exclude, say=say).release, push=push, dry_run=dry_run)
    next_step(options.command(run, "train", "--round", str(round), "--new-version"))  # round-N was trained on others


@with_options
def train(
    options: Options,
    round: Round = 1,
    objective: Objective = "",
    rows: Rows = "",
    format: Format = "",
    images: Images = None,
    licence: Licence = "",
    privacy: Kept = "restricted",
    margin: Margin = "none",
    push: Push = False,
    new_version: NewVersion = False,
    dry_run: DryRun = False,
) -> None:
    """Train a round's LoRA adapter on its preference dataset, from the adapter of the round before."""
    world = world_of()
    gold = objective == GOLD
    if rows:
        if gold:
            raise RecipeError(
                "--rows: are preferences, and --objective sft trains on gold answers. Give one of the two."
            )
        checked(rows, format, images, margin, licence, privacy)
        options = for_rows(options, margin)
    if objective:
        options = options.having(_override(objective))
    run = options.open(round)
    check_push(run, push and not dry_run)
    world.take_gpu()
    if world.rank > 0:
        from clincot.runs.rounds.distributed import join_training

        return join_training(run, world)
    from clincot.runs import api

    if gold:
        round = 0
    elif rows:
        _import(run, round, new_version, rows, format, images, licence, privacy=cast("Privacy", privacy), margin=margin)
    release = api.train(run, round, new_version=new_version, say=say, world=world).release
    report(run, release, push=push, dry_run=dry_run)
    more = round < run.recipe.rounds
    following = ("build-data", "--round", str(round + 1)) if more else ("evaluate",)
    next_step(options.command(run, *following))


@with_options
def run(
    options: Options,
    push: Push = False,
    dry_run: DryRun = False,
    workers: Workers = 0,
    executor: By = "local",
    full: Full = False,
    open: Open = False,
) -> None:
    """Build and train rounds 1..R, then evaluate; finished stages are not done again."""
    world_of().refuse_company("clincot run")
    opened = options.open()
    check_push(opened, push and not dry_run)
    from clincot.runs.loop import run_rounds
    from clincot.runs.summary import print_summary

    releases, evaluation = run_rounds(
        opened, push=push, say=say, dry_run=dry_run, executor=executor_of(opened, executor, workers)
    )
    print_summary(opened, releases, evaluation, say, full=full)
    point_to_page(opened, open_=open)
    # Behind the other overrides: of two for one value the last one counts.
    next_step(options.having("evaluate.max_images=0").command(opened, "evaluate", "--new-version"))


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("build-data")(build_data)
    app.command("pair")(pair)
    app.command("train")(train)
    app.command("run")(run)


def check_push(run: Run, push: bool) -> None:
    """Ask the target whether it would take a push, before hours of work for it; nothing is asked without `push`."""
    if push:
        from clincot.runs import api

        api.check_push(run)


def executor_of(run: Run, name: str, workers: int) -> Executor:
    """Return who builds and answers. Raises ClincotError for an unknown name."""
    from clincot import executors

    return executors.load(name, workers, threads=run.recipe.build.threads)


def report(run: Run, release: Release, *, push: bool, dry_run: bool) -> None:
    """Print where a release is, and push or preview it."""
    from clincot.runs.preview import preview
    from clincot.runs.releases import pushing

    state = "made" if release.fresh else "exists already"
    say(f"{release.kind} {release.repo} ({release.tag}) {state} in {run.store.label}")
    if dry_run:
        preview(run, release, say)
    elif push:
        pushed = pushing.push(run, release, say).pushed
        say(f"pushed as {pushed} to {run.target.label}")


def _override(objective: str) -> str:
    """Return what --objective changes in the recipe; raises RecipeError naming every choice."""
    if objective != GOLD and not is_known(OBJECTIVES, objective):
        raise RecipeError(f"--objective {objective!r}: is not known. Give one of {', '.join((*OBJECTIVES, GOLD))}.")
    return "train.start=sft" if objective == GOLD else f"train.objective={objective}"


def _import(run: Run, round: int, again: bool, *given: Any, **more: Any) -> None:
    """Import the rows that `given` and `more` describe, fields of `RowsToImport`."""
    from clincot.runs import api
    from clincot.runs.rounds.imported import RowsToImport

    rows = RowsToImport(*given, **more)
    report(run, api.import_rows(run, rows, round, new_version=again, say=say).release, push=False, dry_run=False)


def _restore(run: Run, round: int) -> None:
    from clincot.runs.releases import read_lineage
    from clincot.runs.rounds.restore import restore
    from clincot.runs.rounds.train import preferences_of

    hub, data = preferences_of(run, round)
    say(f"restoring the rows of {data} from {run.target.label}")
    path = restore(run, hub, data, read_lineage(hub, data, round))
    say(f"wrote {path}: for this machine alone, its images must not be passed on. Load it:\n")
    typer.echo(f'from datasets import load_dataset\nrows = load_dataset("parquet", data_files="{path}", split="train")')
