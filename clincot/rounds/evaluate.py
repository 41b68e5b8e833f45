"""A run -> the base and its rounds' adapters answered and scored beside controls, as a tagged results repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clincot import benchmarks, engines, protocols
from clincot.benchmarks.base import Source
from clincot.engines.base import Engine
from clincot.errors import RoundError
from clincot.evaluation import PRIOR, Evaluation, PolicyUnderTest, Prediction, evaluate_policies
from clincot.evaluation.tables import result_files, row_name
from clincot.lineage import Pin, content_key
from clincot.rounds import adapters, releases
from clincot.rounds.adapters import Adapter
from clincot.rounds.build import load_proposer
from clincot.rounds.releases import Release, tag_of
from clincot.rounds.run import Run
from clincot.rounds.withheld import References


@dataclass(frozen=True)
class Evaluated:
    """The release of the results and the evaluation itself, for tables."""

    release: Release
    evaluation: Evaluation


def evaluate_rounds(run: Run, last: int, *, new_version: bool = False) -> Evaluated:
    """Evaluate the base and rounds 1..`last` (0: all that stand); stored answers are not generated again."""
    standing = adapters.all_of(run)
    if last > len(standing):
        raise RoundError(
            f"round {last} has no adapter: {run.adapter_repo} stops at {tag_of(len(standing))!r} in {run.store.label}"
            f" and on {run.target.label}."
            f" Run `clincot train --round {len(standing) + 1} --name {run.name}` first."
        )
    chosen = standing[: last or None]
    source = benchmarks.load(run.recipe.benchmark).source
    models = {"policy": run.recipe.models.policy, "proposer": run.recipe.models.proposer}
    pins = {name: run.target.resolve("model", model.repo, model.revision) for name, model in models.items()}
    pins["benchmark"] = run.target.resolve("dataset", source.repo, source.revision)
    build, shas = run.recipe.build, {name: pin.sha for name, pin in pins.items()}
    asked = (run.recipe.evaluate, run.recipe.seed, build.regions, build.steps, build.candidates)
    inputs = content_key(asked, shas, [adapter.sha256 for adapter in chosen])
    done = releases.finished(run, "dataset", run.results_repo, len(chosen), inputs, new_version=new_version)
    evaluation = _evaluate(run, chosen, pins)
    if done:
        return Evaluated(done, evaluation)
    lineage = run.lineage(
        "evaluate",
        len(chosen),
        inputs,
        pins=pins | {tag_of(adapter.round): adapter.pin for adapter in chosen},
        facts=_facts(evaluation, source),
    )
    shown = evaluation if source.redistributable else _withheld(run, evaluation, pins["benchmark"])
    files = _files(shown, run.work(tag_of(len(chosen)), "results"), tag_of(len(chosen)))
    return Evaluated(releases.commit(run, "dataset", run.results_repo, files, lineage), evaluation)


def _evaluate(run: Run, chosen: list[Adapter], pins: dict[str, Pin]) -> Evaluation:
    recipe, benchmark = run.recipe, benchmarks.load(run.recipe.benchmark)
    folder = run.target.snapshot(pins["benchmark"], benchmark.patterns)
    policies = [PolicyUnderTest("base", pins["policy"].sha, _loader(run, pins["policy"], None))]
    for adapter in chosen:
        key = f"{pins['policy'].sha}+{adapter.sha256}"
        policies.append(PolicyUnderTest(tag_of(adapter.round), key, _loader(run, pins["policy"], adapter)))
    return evaluate_policies(
        recipe,
        benchmark.examples(folder, recipe.evaluate.split),
        benchmark.examples(folder, "train"),
        policies,
        lambda: load_proposer(recipe, run.target.snapshot(pins["proposer"]), pins["proposer"]),
        run.work("answers"),
        proposer_key=pins["proposer"].sha,
    )


def _loader(run: Run, base: Pin, adapter: Adapter | None) -> Callable[[], Engine]:
    def load() -> Engine:
        return engines.load(
            "transformers",
            run.target.snapshot(base),
            adapter.folder if adapter else None,
            batch_size=run.recipe.evaluate.batch_size,
            threads=run.recipe.evaluate.threads,
        )

    return load


def _withheld(run: Run, evaluation: Evaluation, pin: Pin) -> Evaluation:
    """Return the evaluation without reference texts; the question prior answers with nothing else."""
    benchmark = benchmarks.load(run.recipe.benchmark)
    folder = run.target.snapshot(pin, benchmark.patterns)
    references = References.of([e for split in ("train", evaluation.split) for e in benchmark.examples(folder, split)])

    def without(prediction: Prediction) -> Prediction:
        if prediction.control == PRIOR:
            return replace(prediction, text="")
        hidden = [references.hide(text, prediction.example_id) for text in (prediction.text, *prediction.findings)]
        return replace(prediction, text=hidden[0], findings=tuple(hidden[1:]))

    return replace(evaluation, predictions=tuple(map(without, evaluation.predictions)))


def _facts(evaluation: Evaluation, source: Source) -> dict[str, Any]:
    measures = {measure.name: measure for measure in protocols.load(evaluation.protocol).measures}
    rows = [
        {
            "policy": row_name(result.row) if result.control else result.policy,
            "inference": result.inference,
            "metric": result.metric,
            "value": result.value,
            "low": result.low,
            "high": result.high,
            "n": result.n,
            "protocol": result.protocol,
            "title": measures[result.metric].title,
            "headline": measures[result.metric].headline,
        }
        for result in evaluation.results
        if not result.subgroup and result.value == result.value  # nan: nothing of the kind was asked
    ]
    return {
        "rows": rows,
        "licence": source.licence,
        "languages": list(source.languages),
        "split": evaluation.split,
        "withheld": not source.redistributable,
        "predictions": len(evaluation.predictions),
        "unreadable_images": sorted(evaluation.unreadable),
    }


def _files(evaluation: Evaluation, folder: Path, round_: str) -> dict[str, Path]:
    """Name the files so that rounds never share one: results below `round-r/`, predictions as their own config."""
    files = {}
    for path, local in result_files(evaluation, folder).items():
        top, _, rest = path.partition("/")
        files[f"{round_}-predictions/{rest}" if top == "predictions" else f"{round_}/{path}"] = local
    return files
