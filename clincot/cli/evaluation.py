"""`clincot evaluate | compare`: results of a run or of controls alone under named protocols; two rows of them."""

from __future__ import annotations

from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clincot.cli.choices import LABELS, completing, listed
from clincot.cli.console import Json, next_step, print_json, say
from clincot.cli.first_page import Full, Open, point_to_page
from clincot.cli.options import Options, with_options
from clincot.cli.stages import By, DryRun, NewVersion, Push, Workers, check_push, executor_of, report
from clincot.executors.world import world_of
from clincot.recipe.parts import PROBES

if TYPE_CHECKING:
    from clincot.runs.run import Run
    from clincot.stages.evaluate import Evaluation

LastRound = Annotated[int, typer.Option("--round", min=0, help="Last round to evaluate (0: all that exist).")]
Controls = Annotated[
    list[str] | None,
    typer.Option(
        "--control",
        help="Score an image-free control alone on the whole split, without any model: question_prior,"
        " constant_template, random_report (repeatable).",
    ),
]
Protocols = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol",
        help=f"Print the table of this protocol, or of `all` (repeatable). All are scored. {listed(LABELS)}",
        autocompletion=completing(LABELS),
    ),
]
Predictions = Annotated[
    Path | None,
    typer.Option(
        help="Score a .jsonl, .json, .csv or .parquet file of answers made elsewhere (example_id, text) under every"
        " protocol, without any model."
    ),
]
Probes = Annotated[
    list[str] | None,
    typer.Option(
        "--probe",
        help="Measure this in addition, with its control: NAME or NAME,NAME (repeatable). " + listed(PROBES),
        autocompletion=completing(PROBES),
    ),
]
First = Annotated[str, typer.Argument(help="A row: POLICY[/INFERENCE[/CONTROL]], or REPO@REVISION[:ROW].")]
Second = Annotated[str, typer.Argument(help="The row to compare with it, of the same form.")]
Shown = Annotated[int, typer.Option("--show", min=0, help="How many changed answers to print.")]


@with_options
def evaluate(
    options: Options,
    round: LastRound = 0,
    push: Push = False,
    new_version: NewVersion = False,
    dry_run: DryRun = False,
    control: Controls = None,
    predictions: Predictions = None,
    protocol: Protocols = None,
    probe: Probes = None,
    workers: Workers = 0,
    executor: By = "local",
    full: Full = False,
    open: Open = False,
    json_: Json = False,
) -> None:
    """Answer and score the benchmark with the base and the adapters of the rounds, with image-free controls."""
    world_of().refuse_company("clincot evaluate")
    from clincot import protocols
    from clincot.runs.checks import check_controls, check_protocols

    check_protocols(protocol or [])
    check_controls(control or [])
    if control or predictions:
        _check_alone(control, predictions, push or dry_run or new_version)
    names = [name.strip() for given in probe or [] for name in given.split(",")]
    if names:
        options = options.having(f"evaluate.probes=[{_checked_probes(names, alone=bool(control or predictions))}]")
    run = options.open(round)
    asked = run.recipe.evaluate.protocol
    labels = protocols.chosen(asked, protocol) if protocol else ()
    _check_scored(labels, asked, judged="judge" in run.recipe.evaluate.probes)
    if control or predictions:
        return _without_model(run, control or [], predictions, labels, json_)
    check_push(run, push and not dry_run)
    from clincot.runs import api

    evaluated = api.evaluate(run, round, new_version=new_version, say=say, executor=executor_of(run, executor, workers))
    _print(evaluated.evaluation, labels, json_, full=full)
    report(run, evaluated.release, push=push, dry_run=dry_run)
    point_to_page(run, open_=open)
    done = evaluated.release.lineage.round
    if done < run.recipe.rounds:
        next_step(options.command(run, "build-data", "--round", str(done + 1)))
    else:
        next_step(options.command(run, "run") if push else options.command(run, "evaluate", "--push"))


@with_options
def compare(
    options: Options,
    first: First,
    second: Second,
    show: Shown = 10,
    protocol: Protocols = None,
    json_: Json = False,
) -> None:
    """Put two rows of results side by side: paired differences on the same resamples, and the answers that changed."""
    from clincot.runs.checks import check_protocols

    check_protocols(protocol or [])
    _check_by_rules(protocol or [])
    run = options.open()
    from clincot.runs.evaluation.compare import compare_rows
    from clincot.runs.summary import comparison_values, print_comparison

    compared = compare_rows(run, first, second, protocol or [])
    if json_:
        print_json(comparison_values(compared))
    else:
        print_comparison(compared, show)


def _check_by_rules(labels: list[str]) -> None:
    from clincot import protocols
    from clincot.errors import ClincotError

    for label in labels:
        if label in (protocols.JUDGED.label, protocols.JUDGED.name):
            raise ClincotError(
                f"--protocol {label}: judges fill it, and compare scores texts by rules alone. `clincot evaluate"
                " --probe judge` compares every policy with the base under it."
            )


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("evaluate")(evaluate)
    app.command("compare")(compare)


def _checked_probes(names: list[str], *, alone: bool) -> str:
    from clincot.errors import ClincotError, did_you_mean

    for name in names:
        if name not in PROBES:
            raise ClincotError(f"--probe {name}: no such probe.{did_you_mean(name, PROBES)}")
    if alone:
        raise ClincotError("--probe: asks policies again, and --control and --predictions have none. Leave it out.")
    return ", ".join(dict.fromkeys(names))


def _check_alone(control: list[str] | None, predictions: Path | None, published: bool) -> None:
    from clincot.errors import ClincotError

    if control and predictions:
        raise ClincotError("--predictions and --control: choose one. A file is scored with the recipe's controls.")
    if published:
        option = "--control" if control else "--predictions"
        raise ClincotError(
            f"{option}: its results stay on this machine. Leave --push, --dry-run and --new-version out."
        )
    if predictions and not isfile(predictions):
        raise ClincotError(f"--predictions {predictions}: no such file. Give a file of answers.")


def _check_scored(labels: tuple[str, ...], asked: str, *, judged: bool) -> None:
    from clincot import protocols
    from clincot.errors import ClincotError

    for label in labels:
        if label == protocols.JUDGED.label and not judged:
            raise ClincotError(f"--protocol {label}: judges fill it. Add --probe judge.")
        if label not in (protocols.JUDGED.label, *protocols.chosen(asked, [protocols.ALL])):
            raise ClincotError(
                f"--protocol {label}: is not of clincot, so nothing is scored under it unless it is asked under. Set"
                " evaluate.protocol to it."
            )


def _print(evaluation: Evaluation, labels: tuple[str, ...], json_: bool, *, full: bool) -> None:
    """Print whether training helped, or the whole tables, or what results.json holds."""
    from clincot.runs.summary import print_evaluation
    from clincot.stages.evaluate.files import facts

    if json_:
        print_json(facts(evaluation))
    else:
        print_evaluation(evaluation, labels, full=full)


def _without_model(run: Run, names: list[str], predictions: Path | None, labels: tuple[str, ...], json_: bool) -> None:
    from clincot.runs.evaluation.controls import evaluate_controls
    from clincot.runs.evaluation.foreign import evaluate_file

    done = evaluate_file(run, predictions) if predictions else evaluate_controls(run, names)
    _print(done.evaluation, labels, json_, full=True)
    say(f"results.json, results.md, results.html and the answers: {done.folder}")
