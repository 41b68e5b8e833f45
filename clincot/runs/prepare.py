"""A run whose target is an embedded Hub -> the same Hub, holding what the run names and the project ships."""

from __future__ import annotations

from collections.abc import Callable

from clincot import benchmarks
from clincot.phantom import publish
from clincot.runs.run import Run


def prepare(run: Run, say: Callable[[str], None]) -> None:
    """Publish what the project ships and an embedded Hub lacks; other Hubs are left alone."""
    if not run.target.label.startswith("local:"):
        return
    models = (run.recipe.models.policy, run.recipe.models.proposer, *run.recipe.models.judges)
    for repo in dict.fromkeys(source.repo for source in models):
        if repo in publish.MODELS and not run.target.exists("model", repo):
            publish.publish_model(run.target, repo, say)
    wanted = benchmarks.load(run.recipe.benchmark).source.repo
    if wanted == publish.DATASET and not run.target.exists("dataset", wanted):
        publish.publish_dataset(run.target, say)
