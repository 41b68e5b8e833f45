"""A run and a round -> the tagged preference dataset of that round, sampled from the adapter of the one before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clincot import benchmarks, engines, judges, regions
from clincot.benchmarks.base import Source
from clincot.build_data import BuildJob, BuildOutcome, build
from clincot.lineage import Pin, content_key
from clincot.methods._workbench import Models
from clincot.partition import limit, part_of_round
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.rounds import adapters, releases, withheld
from clincot.rounds.adapters import Adapter
from clincot.rounds.releases import Release
from clincot.rounds.run import Run
from clincot.rounds.withheld import sha256_of


def build_round(run: Run, round_: int, *, new_version: bool = False) -> Release:
    """Build, commit and tag the preference data of `round_`; nothing is done again when it stands already."""
    recipe = run.recipe
    parent = adapters.of_round(run, round_ - 1)
    source = benchmarks.load(recipe.benchmark).source
    pins = _pins(run, source.repo, source.revision)
    sampled_from = parent.sha256 if parent else "base"
    inputs = content_key(
        recipe.build, recipe.method, recipe.seed, recipe.rounds, {k: pin.sha for k, pin in pins.items()}, sampled_from
    )
    done = releases.finished(run, "dataset", run.preferences_repo, round_, inputs, new_version=new_version)
    if done:
        return done
    every, examples = examples_of(run, recipe, pins["benchmark"], round_)
    job = BuildJob(
        recipe=recipe,
        round=round_,
        examples=examples,
        key=inputs,
        folder=run.work(releases.next_tag(run, "dataset", run.preferences_repo, round_), "build"),
        load_models=lambda: load_models(run, pins, parent),
    )
    outcome = build(job)
    if not source.redistributable:
        outcome = _withheld(outcome, round_, every)
    lineage = run.lineage(
        "build-data",
        round_,
        inputs,
        pins=pins if parent is None else pins | {"parent": parent.pin},
        sampled_from=sampled_from,
        keys=reference_key(pins["policy"], sampled_from),
        facts=outcome.facts | _facts(recipe, source),
    )
    return releases.commit(run, "dataset", run.preferences_repo, outcome.files, lineage)


def load_models(run: Run, pins: dict[str, Pin], parent: Adapter | None) -> Models:
    """Load the policy of the round, the proposer and the judges from their pinned snapshots."""
    recipe = run.recipe
    folders = {name: run.target.snapshot(pin) for name, pin in pins.items() if pin.kind == "model"}
    policy = engines.load(
        "transformers",
        folders["policy"],
        parent.folder if parent else None,
        batch_size=recipe.build.batch_size,
        threads=recipe.build.threads,
    )
    return Models(policy, load_proposer(recipe, folders["proposer"], pins["proposer"]), _judges(recipe, folders, pins))


def load_proposer(recipe: Recipe, folder: Path, pin: Pin) -> regions.Proposer:
    """Load the proposer that the recipe names."""
    return regions.load(recipe.models.proposer.kind, folder, key=pin.sha)


def reference_key(policy: Pin, sampled_from: str) -> dict[str, str]:
    """Return the key under which stored reference log-probabilities are valid: these weights, this engine."""
    return {"reference": content_key(policy.repo, policy.sha, sampled_from, "transformers")}


def _judges(recipe: Recipe, folders: dict[str, Path], pins: dict[str, Pin]) -> tuple[judges.Judge, ...]:
    names = [name for name in sorted(pins) if name.startswith("judge-")]
    return tuple(
        judges.load(
            source.kind or "causal_lm",
            folders[name],
            name=pins[name].repo,
            key=pins[name].sha,
            batch_size=recipe.build.judging.batch_size,
            threads=recipe.build.threads,
        )
        for name, source in zip(names, recipe.models.judges, strict=True)
    )


def _pins(run: Run, benchmark: str, revision: str) -> dict[str, Pin]:
    models = {"policy": run.recipe.models.policy, "proposer": run.recipe.models.proposer}
    models |= {f"judge-{i}": judge for i, judge in enumerate(run.recipe.models.judges, 1)}
    pins = {name: run.target.resolve("model", source.repo, source.revision) for name, source in models.items()}
    return pins | {"benchmark": run.target.resolve("dataset", benchmark, revision)}


def examples_of(run: Run, recipe: Recipe, pin: Pin, round_: int) -> tuple[list[Example], tuple[Example, ...]]:
    """Return all training examples of the pinned benchmark, and those that the recipe gives to the round."""
    benchmark = benchmarks.load(recipe.benchmark)
    every = benchmark.examples(run.target.snapshot(pin, benchmark.patterns), "train")
    part = part_of_round(every, seed=recipe.seed, rounds=recipe.rounds, round_=round_)
    return every, limit(part, max_images=recipe.build.max_images, max_questions=recipe.build.max_questions)


def _withheld(outcome: BuildOutcome, round_: int, every: list[Example]) -> BuildOutcome:
    """Return the outcome without pictures and reference texts; the full rows stay in the work folder alone."""
    references = withheld.References.of(every)
    files, facts = {}, outcome.facts | {"withheld": True}
    for name, full in outcome.files.items():
        path = full.with_name(f"withheld-{full.name}")
        if name.startswith(f"round-{round_}/"):
            files[name] = withheld.withhold_pairs(full, path, references)
            facts |= {"full_rows_sha256": sha256_of(full), "size_bytes": path.stat().st_size}
        else:
            files[name] = withheld.withhold_candidates(full, path, references)
    return BuildOutcome(files, facts)


def _facts(recipe: Recipe, source: Source) -> dict[str, Any]:
    sees = recipe.build.judging.context == "reference"
    return {
        "source": source.repo,
        "licence": source.licence,
        "languages": list(source.languages),
        "partition": {"rounds": recipe.rounds, "seed": recipe.seed, "unit": "image"},
        "judges": [
            {"repo": judge.repo, "context": recipe.build.judging.context, "sees_reference": sees}
            for judge in recipe.models.judges
        ],
    }
