"""A run and a round -> the tagged preference dataset of that round, sampled from the adapter of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from clincot import benchmarks, engines, methods
from clincot.benchmarks.base import Source
from clincot.benchmarks.partition import limit, part_of_round
from clincot.executors.launch import close_launch, open_launch
from clincot.executors.world import ALONE, World
from clincot.judges import cache
from clincot.judges.cache import known_key, load_known
from clincot.recipe import Recipe
from clincot.recipe.choices import source_keys
from clincot.recipe.load import key_of
from clincot.records import Example
from clincot.records.lineage import OwnPin, Pin, content_key
from clincot.runs import releases
from clincot.runs.models import adapters
from clincot.runs.models.adapters import Adapter
from clincot.runs.models.loading import load_models, reference_key
from clincot.runs.models.loads import report_loads
from clincot.runs.models.pins import benchmark_pin, model_pins
from clincot.runs.models.rooms import load_rooms
from clincot.runs.redistribution.redacted import read_rows
from clincot.runs.redistribution.round_files import without_images
from clincot.runs.releases import Release
from clincot.runs.roles import sources_of
from clincot.runs.rounds.build_facts import facts_of
from clincot.runs.run import Run
from clincot.stages.pair.round import PairJob, pair
from clincot.stages.sample.build import BuildOutcome, build, ratings
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import cut_shards
from clincot.stages.sample.worker import BuildJob

RATINGS = "ratings"  # below a run's folder: what judges of finished builds said, one file per tag


@dataclass(frozen=True)
class Made:
    """What a round is made from; `inputs` is the key of all that decides its rows.

    `sampled_from` is the sha256 of the parent's weights, "base", or None for a method that samples from no policy.
    """

    parent: Adapter | None
    source: Source
    pins: dict[str, Pin]
    sampled_from: str | None
    inputs: str


def build_round(run: Run, round_: int, *, new_version: bool = False, world: World = ALONE) -> Release:
    """Build, commit and tag the preference data of `round_`; a finished round is returned as it is.

    In a `world` of several processes this is rank 0's part; the others call `share_round` (share.py).
    """
    made, repo, launches = made_of(run, round_), run.preferences_repo, run.folder / "launches"
    pins: dict[str, Pin | OwnPin] = {**made.pins, **_own(made)}
    done = releases.finished(run, "dataset", repo, round_, made.inputs, new_version=new_version, pins=pins)
    tag = "" if done else releases.next_tag(run, "dataset", repo, round_)
    launch = open_launch(world, launches, {"inputs": made.inputs, "tag": tag})
    if done:
        return done
    report_loads(sources_of(run.recipe))
    job, every = job_of(run, round_, made, tag, world)
    outcome = build(job, launch)
    cache.write(run.folder / RATINGS, tag, ratings(job))
    close_launch(launch, launches)
    # The same command may have built the round elsewhere meanwhile; its rows are the same.
    done = releases.finished(run, "dataset", repo, round_, made.inputs, new_version=new_version, pins=pins)
    return done or _commit(run, round_, made, draw(job, outcome), every)


def made_of(run: Run, round_: int) -> Made:
    """Pin what the round is made from."""
    on_policy = methods.load(run.recipe.method.name).on_policy
    parent = adapters.of_round(run, round_ - 1) if on_policy else None
    source = benchmarks.load(run.recipe.benchmark).source
    pins = _pins(run, source)
    sampled_from = (parent.sha256 if parent else "base") if on_policy else None
    return Made(parent, source, pins, sampled_from, inputs_of(run.recipe, pins, sampled_from))


def job_of(run: Run, round_: int, made: Made, tag: str, world: World) -> tuple[BuildJob, list[Example]]:
    """Return the work to do under `tag`, and all training examples of the benchmark."""
    every, examples = examples_of(run, run.recipe, made.pins["benchmark"], round_)
    known = load_known(run.folder / RATINGS, releases.tag_of(round_), without=tag)

    def models() -> Models:
        world.take_gpu()
        return load_models(run, made.pins, made.parent, known)

    names = {name: str(pin) for name, pin in made.pins.items()}
    names |= {"sampled from": (made.sampled_from or "no policy")[:12]}
    names |= {"known ratings": known_key(known)[:12] if known else "none"}
    rooms, folder = partial(load_rooms, run, made.pins), run.work(tag, "build")
    return BuildJob(run.recipe, round_, examples, made.inputs, folder, models, names, rooms), every


def draw(job: BuildJob, sampled: BuildOutcome) -> BuildOutcome:
    """Draw the pairs of a round among what was sampled for it."""
    config, name, path = f"round-{job.round}", "train-00000-of-00001.parquet", job.folder / "merged" / "pairs.parquet"
    candidates, regions = (read_rows(sampled.files[f"{config}-{part}/{name}"]) for part in ("candidates", "regions"))
    shards = cut_shards(job.examples, job.recipe.build.shard_images)
    facts = pair(PairJob(job.recipe, job.round, shards, candidates, regions, path), sampled.facts)
    return BuildOutcome({f"{config}/{name}": path, **sampled.files}, facts)


def _commit(run: Run, round_: int, made: Made, outcome: BuildOutcome, every: list[Example]) -> Release:
    files, facts = outcome.files, outcome.facts
    if not made.source.redistributable:
        files, more = without_images(files, round_, every)
        facts = facts | more
    source, policy, wrote = run.recipe.models.policy, made.pins["policy"], made.sampled_from
    lineage = run.lineage(
        "build-data",
        round_,
        made.inputs,
        pins=made.pins,
        own=_own(made),
        sampled_from=wrote,
        keys=reference_key(policy, wrote, source.kind, source.load, run.recipe.fit_key) if wrote else {},
        facts=facts_of(run.recipe, made.source, facts) | _repairs(run, made),
    )
    return releases.commit(run, "dataset", run.preferences_repo, files, lineage)


def _repairs(run: Run, made: Made) -> dict[str, Any]:
    """Return the rules by which the policy's prompts were repaired, where it wrote the texts."""
    kind = run.recipe.models.policy.kind
    if made.sampled_from is None or kind in engines.SERVED:
        return {}
    rules = engines.repairs_of(kind, run.target.snapshot(made.pins["policy"]))
    return {"prompt_repairs": list(rules)} if rules else {}


def _own(made: Made) -> dict[str, OwnPin]:
    return {"parent": made.parent.own} if made.parent else {}


def inputs_of(recipe: Recipe, pins: Mapping[str, Pin], sampled_from: str | None, *more: object) -> str:
    """Return the content key of what decides a round's pairs; kinds count, as those without a model have no pin."""
    sources = sources_of(recipe).values()
    kinds, loads = [source.kind for source in sources], key_of(*(source.load for source in sources))
    asked = (recipe.build, recipe.image_layout, recipe.method, recipe.seed, recipe.rounds, kinds)
    code = source_keys(recipe.method.name, recipe.benchmark, *kinds)
    shas = {name: pin.sha for name, pin in pins.items()}
    return content_key(*asked, shas, sampled_from, *code, *loads, *recipe.fit_key, *more)


def _pins(run: Run, source: Source) -> dict[str, Pin]:
    found = model_pins(run, sources_of(run.recipe))
    return found | {"benchmark": benchmark_pin(run.target, source, run.recipe.benchmark_revision)}


def examples_of(run: Run, recipe: Recipe, pin: Pin, round_: int) -> tuple[list[Example], tuple[Example, ...]]:
    """Return all training examples of the pinned benchmark, and those that the recipe gives to the round."""
    benchmark = benchmarks.load(recipe.benchmark)
    every = benchmark.examples(run.target.snapshot(pin, benchmark.patterns), "train")
    part = part_of_round(every, seed=recipe.seed, rounds=recipe.rounds, round_=round_)
    return every, limit(part, max_images=recipe.build.max_images, max_questions=recipe.build.max_questions)
