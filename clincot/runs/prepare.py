"""A run whose target is an embedded Hub -> the same Hub, holding what the run names and the project ships."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from clincot import benchmarks
from clincot.benchmarks.own import OwnData
from clincot.phantom import publish
from clincot.runs.models.pins import benchmark_pin
from clincot.runs.run import Run


def prepare(run: Run, say: Callable[[str], None], splits: Iterable[str] = ()) -> None:
    """Publish what the project ships and an embedded Hub lacks, and show what own data hold.

    Raises DataError for own data that cannot be used, or that lack one of `splits`.
    """
    if run.target.label.startswith("local:"):
        _ship(run, say)
    benchmark = benchmarks.load(run.recipe.benchmark)
    if isinstance(benchmark, OwnData):
        _show(run, benchmark, say, splits)


def _show(run: Run, benchmark: OwnData, say: Callable[[str], None], splits: Iterable[str]) -> None:
    """Say what own data hold and what was guessed of them, before any model is loaded."""
    folder = benchmark.folder
    if folder is None:
        pin = benchmark_pin(run.target, benchmark, run.recipe.benchmark_revision)
        folder = run.target.snapshot(pin, benchmark.patterns)
    for line in benchmark.shown(folder):
        say(line)
    benchmark.check_splits(folder, splits)


def _ship(run: Run, say: Callable[[str], None]) -> None:
    named = run.recipe.models
    models = (named.policy, named.proposer, *named.judges, named.critic, named.editor, named.similarity)
    for repo in dict.fromkeys(source.repo for source in models):
        if repo in publish.MODELS and not run.target.exists("model", repo):
            publish.publish_model(run.target, repo, say)
    publish.supply_dataset(run.target, benchmarks.load(run.recipe.benchmark).source.repo, say)
