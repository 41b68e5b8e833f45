"""A run and its last round -> what an evaluation is made from, and how its questions are answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from clincot import benchmarks, protocols
from clincot.benchmarks.base import Source
from clincot.engines.base import Engine
from clincot.engines.crops import report_crops
from clincot.errors import DataError, NoSplit, RoundError
from clincot.metrics import SCORES
from clincot.recipe import ModelSource
from clincot.recipe.choices import source_keys
from clincot.recipe.load import key_of
from clincot.records import Example, most_images
from clincot.records.lineage import OwnPin, Pin, content_key
from clincot.regions.base import Proposer
from clincot.runs.evaluation.contamination import by_content, seen_by
from clincot.runs.models import adapters
from clincot.runs.models.adapters import Adapter
from clincot.runs.models.loading import load_policy, load_proposer, proposer_key, weights_key
from clincot.runs.models.pins import benchmark_pins, examples_at, model_pins
from clincot.runs.releases import tag_of
from clincot.runs.roles import judge_roles, judge_sources, kinds_of
from clincot.runs.run import Run
from clincot.stages.evaluate import PolicyUnderTest, controls


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
        """The train split, where a control of the recipe answers with it, or a probe compares with its questions."""
        asked = self.run.recipe.evaluate
        read = [f"evaluate.controls: {name} answers" for name in asked.controls if controls.reads_train([name])]
        read += ["evaluate.probes: templates compares"] if "templates" in asked.probes else []
        try:
            return self.train if read else []
        except NoSplit as error:
            raise DataError(
                f"{read[0]} with questions of the train split. Leave it out of the list, or: {error}"
            ) from error

    @property
    def known(self) -> list[Example]:
        """Every example whose texts may not be passed on where the data may not: those of train, where they have it."""
        try:
            return [*self.train, *self.asked]
        except NoSplit:
            return self.asked

    def _read(self, split: str) -> list[Example]:
        benchmark = benchmarks.load(self.run.recipe.benchmark)
        return examples_at(self.run.target, benchmark, self.pin, split)


@dataclass(frozen=True)
class Made:
    """What an evaluation is made from; `inputs` is the key of all that decides its results."""

    run: Run
    chosen: tuple[Adapter, ...]
    models: Mapping[str, ModelSource]
    source: Source
    pins: dict[str, Pin]
    inputs: str
    splits: Splits

    @property
    def newest(self) -> int:
        """Return the last round that is evaluated, 0 for the base alone."""
        return self.chosen[-1].round if self.chosen else 0

    @property
    def own(self) -> dict[str, OwnPin]:
        return {tag_of(adapter.round, self.run.start): adapter.own for adapter in self.chosen}

    @property
    def proposer_key(self) -> str:
        return proposer_key(self.run.recipe, self.pins.get("proposer"))

    @property
    def folder(self) -> Path:
        """Return where the answers are kept."""
        return self.run.work("answers")

    def proposer(self) -> Proposer:
        return load_proposer(self.run, self.run.recipe, self.pins.get("proposer"))

    def policies(self, *, trained_on: bool = True) -> list[PolicyUnderTest]:
        """Return the base and the adapters; `trained_on`: with the test images that each was trained on."""
        recipe, run = self.run.recipe, self.run
        # Another engine may write other texts with the same weights.
        base = weights_key(self.pins["policy"], recipe.models.policy.load) + recipe.models.policy.kind
        base = "+".join((base, *recipe.fit_key))
        seen = self.splits.asked if trained_on else ()  # one process says what is cropped away
        most = most_images(self.splits.asked)
        found = [PolicyUnderTest("base", base, _loader(run, self.pins["policy"], None, most, seen))]
        for adapter in self.chosen:
            key, load = f"{base}+{adapter.sha256}", _loader(run, self.pins["policy"], adapter, most)
            found.append(PolicyUnderTest(tag_of(adapter.round, run.start), key, load))
        if not trained_on:
            return found
        known = by_content(seen_by(run, self.chosen, lambda: self.splits.train), self.splits.asked)
        return [found[0], *(replace(policy, seen=seen) for policy, seen in zip(found[1:], known, strict=True))]


def made_of(run: Run, last: int) -> Made:
    """Pin what an evaluation of rounds 1..`last` (0: all that exist) is made from."""
    chosen = _chosen(run, last)
    benchmark = benchmarks.load(run.recipe.benchmark)
    models = {"policy": run.recipe.models.policy, "proposer": run.recipe.models.proposer}
    pins = model_pins(run, models)
    pins |= benchmark_pins(run.target, benchmark, run.recipe.benchmark_revision)
    splits = Splits(run, pins["benchmark"])
    return Made(run, tuple(chosen), models, benchmark.source, pins, _inputs(run, pins, chosen), splits)


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
    models = {"policy": recipe.models.policy, "proposer": recipe.models.proposer}
    sources = models.values()
    kinds, loads = [source.kind for source in sources], key_of(*(source.load for source in sources))
    looked = (recipe.build.regions, recipe.inference_steps, recipe.inference_hypotheses, recipe.image_layout)
    asked = (recipe.evaluate, recipe.seed, *looked, kinds, *recipe.fit_key, *recipe.looked_key)
    shas = {name: pin.sha for name, pin in pins.items()}
    policies = [adapter.sha256 for adapter in chosen]
    named = ((benchmarks.BENCHMARKS, recipe.benchmark), (protocols.OUTSIDE, recipe.evaluate.protocol))
    measures = protocols.load(recipe.evaluate.protocol).measures
    scores = ((SCORES, score) for measure in measures for _, score, _ in measure.scores)
    written = source_keys(*named, *kinds_of(models), *scores)
    probes = (("probes", *recipe.evaluate.probes, *_rated_by(run)),) if recipe.evaluate.probes else ()
    return content_key(asked, shas, policies, tuple(protocols.PROTOCOLS), *written, *loads, *probes)


def _rated_by(run: Run) -> tuple[object, ...]:
    """Return what decides the ratings of open answers: judges and how they are asked."""
    if "judge" not in run.recipe.evaluate.probes:
        return ()
    judges = dict(zip(judge_roles(run.recipe), judge_sources(run.recipe), strict=True))
    pins = {name: pin.sha for name, pin in model_pins(run, judges).items()}
    return (repr(run.recipe.build.judging), [(source.repo, source.kind) for source in judges.values()], pins)


def _loader(
    run: Run, base: Pin, adapter: Adapter | None, most: int, examples: Sequence[Example] = ()
) -> Callable[[], Engine]:
    """Return what loads a policy for questions about up to `most` images; says what it crops away of `examples`."""
    asked = run.recipe.evaluate

    def load() -> Engine:
        engine = load_policy(run, base, adapter, batch_size=asked.batch_size, threads=asked.threads, shown=most)
        report_crops([engine], examples)
        return engine

    return load
