"""`clincot build-data | train | evaluate | run`: one command per stage, and the loop over them.

A body opens its run before it imports a stage: the stages import Hub clients, which read HF_ENDPOINT when they load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clincot.cli.options import Options, with_options
from clincot.cli.talk import next_step, say

if TYPE_CHECKING:
    from clincot.rounds.releases import Release
    from clincot.rounds.run import Run

Round = Annotated[int, typer.Option("--round", min=1, help="Which round.")]
LastRound = Annotated[int, typer.Option("--round", min=0, help="Last round to evaluate (0: all that stand).")]
Push = Annotated[bool, typer.Option("--push/--no-push", help="Publish the tagged result to the target Hub.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write and list what --push would publish; push nothing.")]
Rebuild = Annotated[
    bool, typer.Option("--rebuild-images", help="Write a round's full rows from your own copy of the benchmark.")
]
NewVersion = Annotated[
    bool, typer.Option("--new-version", help="Make round-N-v2 when round-N stands with other content.")
]


@with_options
def build_data(
    options: Options,
    round: Round = 1,
    push: Push = False,
    new_version: NewVersion = False,
    dry_run: DryRun = False,
    rebuild_images: Rebuild = False,
) -> None:
    """Build a round's preference dataset: hypotheses, regions, candidates, judges, pairs."""
    run = options.open()
    if rebuild_images:
        return _rebuild(run, round)
    from clincot.rounds.build import build_round
    from clincot.rounds.prepare import prepare

    prepare(run, say)
    release = build_round(run, round, new_version=new_version)
    _report(run, release, push=push, dry_run=dry_run)
    next_step(options.command("train", "--round", str(round)))


@with_options
def train(
    options: Options,
    round: Round = 1,
    push: Push = False,
    new_version: NewVersion = False,
    dry_run: DryRun = False,
) -> None:
    """Train a round's LoRA adapter on its preference dataset, from the adapter of the round before."""
    run = options.open()
    from clincot.rounds.prepare import prepare
    from clincot.rounds.train import train_round

    prepare(run, say)
    release = train_round(run, round, new_version=new_version)
    _report(run, release, push=push, dry_run=dry_run)
    more = round < run.recipe.rounds
    following = ("build-data", "--round", str(round + 1)) if more else ("evaluate",)
    next_step(options.command(*following))


@with_options
def evaluate(
    options: Options,
    round: LastRound = 0,
    push: Push = False,
    new_version: NewVersion = False,
    dry_run: DryRun = False,
) -> None:
    """Answer and score the benchmark with the base and the adapters of the rounds, beside image-free controls."""
    run = options.open()
    from clincot.rounds.evaluate import evaluate_rounds
    from clincot.rounds.prepare import prepare
    from clincot.rounds.summary import print_tables

    prepare(run, say)
    evaluated = evaluate_rounds(run, round, new_version=new_version)
    print_tables(evaluated.evaluation)
    _report(run, evaluated.release, push=push, dry_run=dry_run)
    done = evaluated.release.lineage.round
    if done < run.recipe.rounds:
        next_step(options.command("build-data", "--round", str(done + 1)))
    else:
        next_step(options.command("run") if push else options.command("evaluate", "--push"))


@with_options
def run(options: Options, push: Push = True, dry_run: DryRun = False) -> None:
    """Build and train rounds 1..R, then evaluate; what stands already is not done again."""
    opened = options.open()
    from clincot.rounds.loop import run_rounds
    from clincot.rounds.summary import print_summary

    releases, evaluation = run_rounds(opened, push=push, say=say, dry_run=dry_run)
    print_summary(opened, releases, evaluation, say)
    next_step(options.command("evaluate", "--set", "evaluate.max_images=0", "--new-version"))


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("build-data")(build_data)
    app.command("train")(train)
    app.command("evaluate")(evaluate)
    app.command("run")(run)


def _report(run: Run, release: Release, *, push: bool, dry_run: bool) -> None:
    from clincot.rounds import pushing
    from clincot.rounds.preview import preview

    state = "made" if release.fresh else "stands already"
    say(f"{release.kind} {release.repo} ({release.tag}) {state} in {run.store.label}")
    if dry_run:
        preview(run, release, say)
    elif push:
        pushed = pushing.push(run, release, say).pushed
        say(f"pushed as {pushed} to {run.target.label}")


def _rebuild(run: Run, round: int) -> None:
    from clincot.rounds.rebuild import rebuild
    from clincot.rounds.releases import read_lineage
    from clincot.rounds.train import preferences_of

    hub, data = preferences_of(run, round)
    say(f"rebuilding the rows of {data} from {run.target.label}")
    path = rebuild(run, hub, data, read_lineage(hub, data, round))
    say(f"wrote {path}: for this machine alone, its pictures must not be passed on. Load it:\n")
    typer.echo(f'from datasets import load_dataset\nrows = load_dataset("parquet", data_files="{path}", split="train")')
