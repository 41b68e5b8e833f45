"""A run -> rounds 1..R of build and train, then one evaluation of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from clincot.executors.base import Executor
from clincot.records.lineage import Kind, OwnPin
from clincot.runs import releases
from clincot.runs.checks.needs import check_conditioning
from clincot.runs.evaluation.evaluate import evaluate_rounds
from clincot.runs.models.served_adapters import report_loading
from clincot.runs.prepare import prepare
from clincot.runs.preview import preview
from clincot.runs.releases import Release, pushing
from clincot.runs.releases.content import own_pin
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.sft import train_start
from clincot.runs.rounds.train import train_round
from clincot.runs.run import Run
from clincot.stages.evaluate import Evaluation


def run_rounds(
    run: Run, *, push: bool, say: Callable[[str], None], dry_run: bool = False, executor: Executor | None = None
) -> tuple[list[Release], Evaluation]:
    """Do what is missing of the start, rounds 1..R and the evaluation; push each result as soon as it exists.

    With `dry_run`, say what would be pushed instead. What exists but was made from another version of what is before it
    (pairs that were drawn again, an adapter trained again) gets a new version too.
    """
    done: list[Release] = []

    def keep(release: Release) -> None:
        if dry_run:
            preview(run, release, say)
        done.append(pushing.push(run, release, say) if push and not dry_run else release)

    def outdated(kind: Kind, repo: str, round_: int, own: Mapping[str, OwnPin]) -> bool:
        found = releases.made_from_another(run, kind, repo, round_, own)
        if found:
            before = ", ".join(own)
            say(f"{repo}: {releases.tag_of(round_)} was made from another version of its {before}; it is made anew")
        return found

    check_conditioning(run.recipe)
    prepare(run, say, ("train", run.recipe.evaluate.split))
    report_loading(run, say)
    parents: dict[str, OwnPin] = {}
    existing: dict[str, OwnPin] = {}
    if run.start == "sft":
        start = train_start(run)
        keep(start)
        pin = own_pin(run.store, start.pin)
        parents, existing = {"parent": pin}, {run.start: pin}
    for round_ in range(1, run.recipe.rounds + 1):
        say(f"round {round_} of {run.recipe.rounds}")
        again = outdated("dataset", run.preferences_repo, round_, parents)
        built = build_round(run, round_, new_version=again, executor=executor)
        keep(built)
        again = outdated("model", run.adapter_repo, round_, {"preferences": own_pin(run.store, built.pin)})
        trained = train_round(run, round_, new_version=again)
        keep(trained)
        pin = own_pin(run.store, trained.pin)
        parents, existing = {"parent": pin}, existing | {releases.tag_of(round_): pin}
    again = outdated("dataset", run.results_repo, run.recipe.rounds, existing)
    evaluated = evaluate_rounds(run, run.recipe.rounds, new_version=again, executor=executor)
    keep(evaluated.release)
    return done, evaluated.evaluation
