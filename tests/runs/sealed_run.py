"""The recipe of a run of one round on the sealed benchmark, and what the finished run is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clincot.recipe import Recipe, load_recipe
from clincot.runs.releases import Release
from clincot.runs.run import Run

SMALL = (
    "rounds=1",
    "models.trusted_hosts=[gpu-1.ward.lan]",  # nothing of a machine may be published
    "build.max_images=3",
    "build.max_questions=2",
    "build.shard_images=2",
    "method.candidates=3",
    "method.lookahead.samples=1",
    "method.min_gap=0.000001",
    "method.temperature=2.0",  # pairs must come of whatever weights the tiny models have
    "build.max_new_tokens=8",
    "build.regions.crop=masked",
    "train.dpo.num_train_epochs=1",
    "train.dpo.logging_steps=1",
    "evaluate.max_images=2",
    "evaluate.resamples=20",
)


def sealed_recipe(*overrides: str) -> Recipe:
    return load_recipe("clincot", "phantom", benchmark="sealed", overrides=[*SMALL, *overrides])


def small_recipe(method: str, *overrides: str) -> Recipe:
    """Return the recipe of another method, which has none of ClinCoT's numbers."""
    shared = [one for one in SMALL if not one.startswith("method.")]
    return load_recipe("clincot", "phantom", benchmark="sealed", overrides=[f"method={method}", *shared, *overrides])


@dataclass(frozen=True)
class SealedRun:
    """The run, its releases by stage, what was said, and the folder of the target Hub."""

    run: Run
    build: Release
    train: Release
    results: Release
    said: list[str]
    hub: Path
