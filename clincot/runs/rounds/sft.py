"""A run -> the tagged adapter `sft`, trained on the gold answers of its benchmark, from which its round 1 starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clincot import benchmarks
from clincot.benchmarks.base import Source
from clincot.benchmarks.partition import limit, part_of_round
from clincot.errors import RecipeError
from clincot.executors.world import ALONE, World
from clincot.recipe.load import key_of
from clincot.records import Example
from clincot.records.lineage import Pin, content_key
from clincot.rows import schema
from clincot.runs import releases
from clincot.runs.models import adapters
from clincot.runs.models.loads import report_loads
from clincot.runs.models.pins import benchmark_pins, examples_at
from clincot.runs.redistribution.model_licences import of_adapter
from clincot.runs.releases import Release
from clincot.runs.rounds.curve import training_files
from clincot.runs.rounds.distributed import train_distributed
from clincot.runs.rounds.training_lock import training_lock
from clincot.runs.run import Run
from clincot.runs.times import timed

if TYPE_CHECKING:
    from clincot.stages.train.job import TrainOutcome

NAME = "sft"


@timed
def train_start(run: Run, *, new_version: bool = False, world: World = ALONE) -> Release:
    """Train, commit and tag the adapter `sft`; a finished one is returned as it is.

    It reads the images of all rounds, within the setting's limits for each. In a `world` of several processes this is
    rank 0's part. Raises RecipeError for a run whose rounds do not start from it.
    """
    if run.start != NAME:
        raise RecipeError("train.start: is 'base', so no round would start from `sft`. Add `--set train.start=sft`.")
    benchmark = benchmarks.load(run.recipe.benchmark)
    policy = run.recipe.models.policy
    base = run.target.resolve("model", policy.repo, policy.revision)
    pins = {"policy": base} | benchmark_pins(run.target, benchmark, run.recipe.benchmark_revision)
    build, train = run.recipe.build, run.recipe.train
    limits = (_parts(run), build.max_images, build.max_questions)
    how = (train.sft, train.lora, train.dtype, train.threads)
    shas = {name: pin.sha for name, pin in pins.items()}
    loaded = (*key_of(policy.load), *run.recipe.fit_key)
    inputs = content_key("sft", how, limits, run.recipe.seed, shas, *loaded)
    done = releases.finished(run, "model", run.adapter_repo, 0, inputs, pins=pins, new_version=new_version)
    if done:
        train_distributed(run, world, None)
        return done
    from clincot.stages.train.sft import SftJob

    folder = run.work(NAME, "train")
    rows = _write_rows(run, pins["benchmark"], folder / "gold.parquet")
    job = SftJob(run.recipe, rows, run.target.snapshot(base), base.repo, folder)
    report_loads({"policy": policy})
    with training_lock(run.work(NAME), f"{run.name}, {NAME}"):
        outcome = train_distributed(run, world, job)
        assert outcome is not None
        return _commit(run, outcome, benchmark.source, inputs, pins)


def _commit(run: Run, outcome: TrainOutcome, source: Source, inputs: str, pins: dict[str, Pin]) -> Release:
    facts = {key: value for key, value in outcome.facts.items() if key != "seconds"}
    facts |= {"licence": source.licence, "languages": list(source.languages), "curve": f"{NAME}/curve.png"}
    facts |= of_adapter(run, pins["policy"])
    sha256 = adapters.sha256_of(outcome.adapter)
    lineage = run.lineage("train", 0, inputs, pins=pins, adapter_sha256=sha256, facts=facts)
    logged = training_files(outcome.history, f"{run.name}, {NAME}", run.work(NAME, "train"), NAME)
    files = {path.name: path for path in sorted(outcome.adapter.iterdir())} | logged
    return releases.commit(run, "model", run.adapter_repo, files, lineage)


def _parts(run: Run) -> int:
    """Return how many parts of the images are read: those of all rounds, or one where no round follows."""
    return max(1, run.recipe.rounds)


def _write_rows(run: Run, benchmark: Pin, path: Path) -> Path:
    from clincot.objectives.sft import GOLD_FEATURES, gold_row

    rows = (
        schema.table([gold_row(example, run.recipe.image_layout)], GOLD_FEATURES)
        for example in _examples(run, benchmark)
    )
    schema.write_parquet(rows, path, GOLD_FEATURES)
    return path


def _examples(run: Run, pin: Pin) -> list[Example]:
    """Return the examples of every round, in the benchmark's order; all of the train split where nothing is limited."""
    recipe, benchmark = run.recipe, benchmarks.load(run.recipe.benchmark)
    every = examples_at(run.target, benchmark, pin, "train")
    kept: set[str] = set()
    for round_ in range(1, _parts(run) + 1):
        part = part_of_round(every, seed=recipe.seed, rounds=_parts(run), round_=round_)
        few = limit(part, max_images=recipe.build.max_images, max_questions=recipe.build.max_questions)
        kept |= {example.id for example in few}
    return [example for example in every if example.id in kept and example.answer.strip()]
