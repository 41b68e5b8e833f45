"""The models and the benchmark of a recipe -> their pinned repositories on the target Hub; some kinds have no model."""

from __future__ import annotations

from collections.abc import Mapping

from clincot.benchmarks.base import Benchmark
from clincot.benchmarks.own import OwnData
from clincot.errors import DataError, NotOnHub
from clincot.hub import Hub
from clincot.hub.names import PUBLIC
from clincot.progress import notice
from clincot.recipe import ModelSource
from clincot.records import Example
from clincot.records.lineage import Pin
from clincot.runs.models.served import is_elsewhere
from clincot.runs.run import Run


def model_pins(run: Run, sources: Mapping[str, ModelSource]) -> dict[str, Pin]:
    """Pin the models that have a repository and are read here. Raises NotOnHub, for a MedKLIP with the way to make one.

    The `repo` of a model on a server is its name there.
    """
    return {
        name: _pin(run, source) for name, source in sources.items() if source.repo and not is_elsewhere(name, source)
    }


def benchmark_pins(hub: Hub, benchmark: Benchmark, revision: str = "") -> dict[str, Pin]:
    """Return the pin of a benchmark, and of what is declared of a Hub dataset that is no benchmark of the package."""
    declared = benchmark.declared_pin() if isinstance(benchmark, OwnData) else None
    return {"benchmark": benchmark_pin(hub, benchmark, revision)} | ({"declared": declared} if declared else {})


def benchmark_pin(hub: Hub, benchmark: Benchmark, revision: str = "") -> Pin:
    """Pin a benchmark: at `revision` where one is asked for, else at the commit that its source names.

    Data on this machine have no commit: their content is the pin. The public Hub must hold the commit of a source. A
    copy on another Hub has other commits, so where this one is lacking the source's branch is read; that is said, and
    the pin's `revision` is then the branch. Raises NotOnHub, DataError for own data that cannot be read.
    """
    source = benchmark.source
    if isinstance(benchmark, OwnData) and benchmark.folder is not None:
        if revision:
            raise DataError(f"benchmark_revision: {source.name} is a folder, which has no versions. Leave it out.")
        return benchmark.pin()
    if revision or not source.sha:
        return hub.resolve("dataset", source.repo, revision or source.revision)
    try:
        return hub.resolve("dataset", source.repo, source.sha)
    except NotOnHub as error:
        if hub.endpoint == PUBLIC:
            newest = f"--set benchmark_revision={source.revision}"
            raise NotOnHub(f"{error} Or read what is there now: {newest}") from error
    pin = hub.resolve("dataset", source.repo, source.revision)
    notice(
        f"{hub.label}: has {source.repo} without its public commit {source.sha[:12]}; reading {pin.revision} ({pin})"
    )
    return pin


def examples_at(hub: Hub, benchmark: Benchmark, pin: Pin, split: str) -> list[Example]:
    """Return the examples of a split of a pinned benchmark. Raises DataError where own data have changed."""
    if not isinstance(benchmark, OwnData) or benchmark.folder is None:
        return benchmark.examples(hub.snapshot(pin, benchmark.patterns), split)
    now = benchmark.pin()
    if now.sha != pin.sha:
        raise DataError(
            f"{pin}: the data in {benchmark.folder} are other ones now ({now}). Put them back as they were."
        )
    return benchmark.examples(benchmark.folder, split)


def _pin(run: Run, source: ModelSource) -> Pin:
    try:
        return run.target.resolve("model", source.repo, source.revision)
    except NotOnHub as error:
        if source.kind != "medklip":
            raise
        # Nobody may pass the authors' weights on, so an absent repository is the usual state and no slip.
        place = run.target.label
        raise NotOnHub(
            f"{place}: has no model {source.repo}. MedKLIP's weights are not shipped; convert your own copy:\n"
            '  clincot convert medklip CHECKPOINT.pth medklip --descriptions "observation explanation.json"'
            " --text-encoder emilyalsentzer/Bio_ClinicalBERT\n"
            f"  clincot hub import medklip --as {source.repo} --kind model --hub {place}\n"
            "docs/proposers.md says more. Without them, set models.proposer to another kind."
        ) from error
