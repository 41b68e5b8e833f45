"""A run -> the base and its rounds' adapters answered and scored, with controls, as a tagged results repository."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from clincot import benchmarks, methods, protocols
from clincot.executors.base import Executor
from clincot.records.lineage import OwnPin, Pin
from clincot.report.results_page import results_page
from clincot.runs import releases
from clincot.runs.evaluation.made import Splits, made_of
from clincot.runs.evaluation.probing import with_probes
from clincot.runs.evaluation.share import answer_elsewhere
from clincot.runs.models.loads import load_facts, report_loads
from clincot.runs.models.served_adapters import served_facts
from clincot.runs.redistribution.redacted import References
from clincot.runs.releases import Release, card_figures, tag_of
from clincot.runs.releases.cards.method import stated_by
from clincot.runs.run import Run
from clincot.runs.times import timed
from clincot.stages.evaluate import Evaluation, Prediction, controls, evaluate_policies
from clincot.stages.evaluate.files import contamination, result_files
from clincot.stages.evaluate.marks import Against, against_controls, row_name
from clincot.stages.evaluate.probe_tables import probe_tables

PAPER = protocols.load("paper").label


@dataclass(frozen=True)
class Evaluated:
    """The release of the results and the evaluation itself, for tables."""

    release: Release
    evaluation: Evaluation


@timed
def evaluate_rounds(run: Run, last: int, *, new_version: bool = False, executor: Executor | None = None) -> Evaluated:
    """Evaluate the base and rounds 1..`last` (0: all that exist); stored answers are not generated again."""
    made = made_of(run, last)
    pins: dict[str, Pin | OwnPin] = {**made.pins, **made.own}
    repo, inputs = run.results_repo, made.inputs
    done = releases.finished(run, "dataset", repo, made.newest, inputs, new_version=new_version, pins=pins)
    if not done:
        report_loads(made.models)
    policies = made.policies()
    ahead = None
    if executor is not None and executor.elsewhere:
        ahead = partial(answer_elsewhere, policies=policies, executor=executor, run=run, last=last, inputs=inputs)
    evaluation = evaluate_policies(
        run.recipe,
        made.splits.asked,
        made.splits.for_controls,
        policies,
        made.proposer,
        made.folder,
        proposer_key=made.proposer_key,
        ahead=ahead,
    )
    evaluation = with_probes(run, made, evaluation)
    if done:
        return Evaluated(done, evaluation)
    shown = evaluation if made.source.redistributable else _withheld(evaluation, made.splits)
    files = _files(run, shown, made.splits, tag_of(made.newest, run.start))
    figures = [path for path in files if path.endswith(".png")]
    lineage = run.lineage(
        "evaluate",
        made.newest,
        inputs,
        pins=made.pins,
        own=made.own,
        facts=facts_of(run, evaluation) | served_facts(run, made.chosen) | ({"figure": figures[0]} if figures else {}),
    )
    return Evaluated(releases.commit(run, "dataset", run.results_repo, files, lineage), evaluation)


def _withheld(evaluation: Evaluation, splits: Splits) -> Evaluation:
    """Return the evaluation without reference texts; controls that answer with train texts have nothing else."""
    references = References.of(splits.known)

    def without(prediction: Prediction) -> Prediction:
        if prediction.control in controls.NEED_TRAIN:
            return replace(prediction, text="")
        hidden = [references.hide(text, prediction.example_id) for text in (prediction.text, *prediction.findings)]
        return replace(prediction, text=hidden[0], findings=tuple(hidden[1:]))

    return replace(evaluation, predictions=tuple(map(without, evaluation.predictions)), flips=())


def facts_of(run: Run, evaluation: Evaluation) -> dict[str, Any]:
    """Return what cards show: headlines of the protocol asked under and of the paper's, licence, contamination.

    The other measures are in results.json: with them a lineage of two rounds had 460 kB.
    """
    source = benchmarks.load(run.recipe.benchmark).source
    shown = dict.fromkeys((protocols.load(evaluation.protocol).label, PAPER))
    titles = {(label, m.name): m.title for label in shown for m in protocols.load(label).measures if m.headline}
    marks = {label: against_controls(evaluation, label) for label in shown}
    rows = [
        {
            "policy": row_name(result.row) if result.control else result.policy,
            "inference": result.inference,
            "metric": result.metric,
            "value": result.value,
            "low": result.low if isfinite(result.low) else None,
            "high": result.high if isfinite(result.high) else None,
            "n": result.n,
            "protocol": result.protocol,
            "title": titles[result.protocol, result.metric],
            "headline": True,
            "mark": marks[result.protocol].get((result.row, result.metric), Against()).mark,
        }
        for result in evaluation.results
        # nan: nothing of the kind was asked
        if (result.protocol, result.metric) in titles and not result.by and result.value == result.value
    ]
    return {
        "rows": rows,
        **run.recipe.fit_facts,
        **load_facts({"policy": run.recipe.models.policy}),
        "method": stated_by(methods.of_recipe(run.recipe)).to_facts(),
        "licence": source.licence,
        "languages": list(source.languages),
        "split": evaluation.split,
        "cut": evaluation.cut,
        "own_cut": source.own_cut,
        "called": f"{evaluation.benchmark} ({evaluation.cut})" if evaluation.cut else evaluation.benchmark,
        "withheld": not source.redistributable,
        "predictions": len(evaluation.predictions),
        "unreadable_images": sorted(evaluation.unreadable),
        "contamination": contamination(evaluation),
        **({"probes": probe_tables(evaluation.probes)} if evaluation.probes else {}),
    }


def _files(run: Run, evaluation: Evaluation, splits: Splits, round_: str) -> dict[str, Path]:
    """Name the files so that rounds never share one: results below `round-r/`, predictions as their own config."""
    files, folder = {}, run.work(round_, "results")
    for path, local in result_files(evaluation, folder).items():
        top, _, rest = path.partition("/")
        files[f"{round_}-predictions/{rest}" if top == "predictions" else f"{round_}/{path}"] = local
    open_data = benchmarks.load(run.recipe.benchmark).source.redistributable
    page = folder / "results.html"
    page.write_text(results_page(evaluation, splits.asked if open_data else (), run.name), encoding="utf-8")
    figure = card_figures.of_results(evaluation, round_, folder / "figures") if open_data else {}
    return {**files, f"{round_}/results.html": page, **figure}
