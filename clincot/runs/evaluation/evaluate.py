"""A run -> the base and its rounds' adapters answered and scored, with controls, as a tagged results repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from clincot import benchmarks, methods, protocols
from clincot.engines.base import Engine
from clincot.engines.crops import report_crops
from clincot.errors import RoundError
from clincot.recipe.choices import source_keys
from clincot.recipe.load import key_of
from clincot.records import Example
from clincot.records.lineage import Pin, content_key
from clincot.report.results_page import results_page
from clincot.runs import releases
from clincot.runs.evaluation.contamination import by_content, seen_by
from clincot.runs.models import adapters
from clincot.runs.models.adapters import Adapter
from clincot.runs.models.loading import load_policy, load_proposer, proposer_key, weights_key
from clincot.runs.models.loads import load_facts, report_loads
from clincot.runs.models.pins import benchmark_pin, model_pins
from clincot.runs.redistribution.redacted import References
from clincot.runs.releases import Release, tag_of
from clincot.runs.releases.cards.method import stated_by
from clincot.runs.run import Run
from clincot.stages.evaluate import Evaluation, PolicyUnderTest, Prediction, controls, evaluate_policies
from clincot.stages.evaluate.files import contamination, result_files
from clincot.stages.evaluate.marks import Against, against_controls, row_name

PAPER = protocols.load("paper").label


@dataclass(frozen=True)
class Evaluated:
    """The release of the results and the evaluation itself, for tables."""

    release: Release
    evaluation: Evaluation


@dataclass(frozen=True)
class Splits:
    """The pinned benchmark; each split is read once, and only when asked for."""

    run: Run
    pin: Pin

    @cached_property
    def asked(self) -> list[Example]:
        return self._read(self.run.recipe.evaluate.split)

    @cached_property
    def train(self) -> list[Example]:
        return self._read("train")

    @property
    def for_controls(self) -> list[Example]:
        """The train split, where a control of the recipe answers with it."""
        return self.train if controls.reads_train(self.run.recipe.evaluate.controls) else []

    def _read(self, split: str) -> list[Example]:
        benchmark = benchmarks.load(self.run.recipe.benchmark)
        return benchmark.examples(self.run.target.snapshot(self.pin, benchmark.patterns), split)


def evaluate_rounds(run: Run, last: int, *, new_version: bool = False) -> Evaluated:
    """Evaluate the base and rounds 1..`last` (0: all that exist); stored answers are not generated again."""
    chosen = _chosen(run, last)
    source = benchmarks.load(run.recipe.benchmark).source
    models = {"policy": run.recipe.models.policy, "proposer": run.recipe.models.proposer}
    pins = model_pins(run, models)
    pins["benchmark"] = benchmark_pin(run.target, source, run.recipe.benchmark_revision)
    own = {tag_of(adapter.round, run.start): adapter.own for adapter in chosen}
    inputs = _inputs(run, pins, chosen)
    newest = chosen[-1].round if chosen else 0
    done = releases.finished(
        run, "dataset", run.results_repo, newest, inputs, new_version=new_version, pins={**pins, **own}
    )
    splits = Splits(run, pins["benchmark"])
    if not done:
        report_loads(models)
    evaluation = _evaluate(run, chosen, pins, splits)
    if done:
        return Evaluated(done, evaluation)
    lineage = run.lineage(
        "evaluate",
        newest,
        inputs,
        pins=pins,
        own=own,
        facts=facts_of(run, evaluation),
    )
    shown = evaluation if source.redistributable else _withheld(evaluation, splits)
    files = _files(run, shown, splits, tag_of(newest, run.start))
    return Evaluated(releases.commit(run, "dataset", run.results_repo, files, lineage), evaluation)


def _chosen(run: Run, last: int) -> list[Adapter]:
    existing = adapters.all_of(run)
    newest = existing[-1].round if existing else 0
    if last > newest:
        raise RoundError(
            f"round {last} has no adapter: {run.adapter_repo} stops at {tag_of(newest, run.start)!r} in"
            f" {run.store.label} and on {run.target.label}."
            f" Run `clincot train --round {newest + 1} --name {run.name}` first."
        )
    return [adapter for adapter in existing if adapter.round <= (last or newest)]


def _inputs(run: Run, pins: dict[str, Pin], chosen: list[Adapter]) -> str:
    recipe = run.recipe
    sources = (recipe.models.policy, recipe.models.proposer)
    kinds, loads = [source.kind for source in sources], key_of(*(source.load for source in sources))
    looked = (recipe.build.regions, recipe.inference_steps, recipe.inference_hypotheses, recipe.image_layout)
    asked = (recipe.evaluate, recipe.seed, *looked, kinds, *recipe.fit_key)
    shas = {name: pin.sha for name, pin in pins.items()}
    policies, written = [adapter.sha256 for adapter in chosen], source_keys(recipe.benchmark, *kinds)
    return content_key(asked, shas, policies, tuple(protocols.PROTOCOLS), *written, *loads)


def _evaluate(run: Run, chosen: list[Adapter], pins: dict[str, Pin], splits: Splits) -> Evaluation:
    recipe = run.recipe
    # Another engine may write other texts with the same weights.
    base = weights_key(pins["policy"], recipe.models.policy.load) + recipe.models.policy.kind
    base = "+".join((base, *recipe.fit_key))
    policies = [PolicyUnderTest("base", base, _loader(run, pins["policy"], None, splits.asked))]
    known = by_content(seen_by(run, chosen, lambda: splits.train), splits.asked)
    for adapter, seen in zip(chosen, known, strict=True):
        key, load = f"{base}+{adapter.sha256}", _loader(run, pins["policy"], adapter)
        policies.append(PolicyUnderTest(tag_of(adapter.round, run.start), key, load, seen))
    return evaluate_policies(
        recipe,
        splits.asked,
        splits.for_controls,
        policies,
        lambda: load_proposer(run, recipe, pins.get("proposer")),
        run.work("answers"),
        proposer_key=proposer_key(recipe, pins.get("proposer")),
    )


def _loader(run: Run, base: Pin, adapter: Adapter | None, examples: Sequence[Example] = ()) -> Callable[[], Engine]:
    """Return what loads a policy and says what it crops away of the images of `examples`."""
    asked = run.recipe.evaluate

    def load() -> Engine:
        engine = load_policy(run, base, adapter, batch_size=asked.batch_size, threads=asked.threads)
        report_crops([engine], examples)
        return engine

    return load


def _withheld(evaluation: Evaluation, splits: Splits) -> Evaluation:
    """Return the evaluation without reference texts; controls that answer with train texts have nothing else."""
    references = References.of([*splits.train, *splits.asked])

    def without(prediction: Prediction) -> Prediction:
        if prediction.control in controls.NEED_TRAIN:
            return replace(prediction, text="")
        hidden = [references.hide(text, prediction.example_id) for text in (prediction.text, *prediction.findings)]
        return replace(prediction, text=hidden[0], findings=tuple(hidden[1:]))

    return replace(evaluation, predictions=tuple(map(without, evaluation.predictions)))


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
            "low": result.low,
            "high": result.high,
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
    return files | {f"{round_}/results.html": page}
