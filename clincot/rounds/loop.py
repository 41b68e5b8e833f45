"""A run -> rounds 1..R of build and train, then one evaluation of them all."""

from __future__ import annotations

from collections.abc import Callable

from clincot.evaluation import Evaluation
from clincot.rounds import pushing
from clincot.rounds.build import build_round
from clincot.rounds.evaluate import evaluate_rounds
from clincot.rounds.prepare import prepare
from clincot.rounds.preview import preview
from clincot.rounds.releases import Release
from clincot.rounds.run import Run
from clincot.rounds.sft import train_start
from clincot.rounds.train import train_round


def run_rounds(
    run: Run, *, push: bool, say: Callable[[str], None], dry_run: bool = False
) -> tuple[list[Release], Evaluation]:
    """Do what is missing of the start, rounds 1..R and the evaluation; push each result as soon as it stands.

    With `dry_run`, say what would be pushed instead.
    """
    done: list[Release] = []

    def keep(release: Release) -> None:
        if dry_run:
            preview(run, release, say)
        done.append(pushing.push(run, release, say) if push and not dry_run else release)

    prepare(run, say)
    if run.start == "sft":
        keep(train_start(run))
    for round_ in range(1, run.recipe.rounds + 1):
        say(f"round {round_} of {run.recipe.rounds}")
        keep(build_round(run, round_))
        keep(train_round(run, round_))
    evaluated = evaluate_rounds(run, run.recipe.rounds)
    keep(evaluated.release)
    return done, evaluated.evaluation
