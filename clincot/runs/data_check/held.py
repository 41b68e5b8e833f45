"""The name of a benchmark or of own data, and a Hub -> examples of all splits, patients, and rows left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from clincot import benchmarks
from clincot.benchmarks.base import Source
from clincot.benchmarks.own import OwnData
from clincot.hub import connect
from clincot.phantom import publish
from clincot.records import Example
from clincot.runs.models.pins import benchmark_pin


@dataclass(frozen=True)
class Held:
    """Data that were read: examples by split, patients by example id, and (where, why) of rows that were left out.

    `own`: they are the user's, and no benchmark of the package. `shown`: what was found and guessed, in lines.
    """

    source: Source
    splits: Mapping[str, list[Example]]
    patients: Mapping[str, str]
    left_out: tuple[tuple[str, str], ...] = ()
    rows: int = 0
    own: bool = False
    shown: tuple[str, ...] = ()


def read_held(name: str, hub: str, revision: str, say: Callable[[str], None]) -> Held:
    """Read all splits; own data on this machine need no Hub. Raises DataError for data that cannot be read at all."""
    benchmark = benchmarks.load(name)
    if isinstance(benchmark, OwnData) and benchmark.folder is not None:
        return _own(benchmark, benchmark.folder)
    with connect(hub) as target:
        publish.supply_dataset(target, benchmark.source.repo, say)
        folder = target.snapshot(benchmark_pin(target, benchmark, revision), benchmark.patterns)
    if isinstance(benchmark, OwnData):
        return _own(benchmark, folder)
    return Held(benchmark.source, {split: benchmark.examples(folder, split) for split in benchmark.splits}, {})


def _own(benchmark: OwnData, folder: Path) -> Held:
    contents = benchmark.contents(folder)
    return Held(
        source=benchmark.source,
        splits=contents.examples,
        patients=contents.patients,
        left_out=tuple((one.where, one.why) for one in contents.broken),
        rows=contents.rows,
        own=True,
        shown=tuple(benchmark.shown(folder)),
    )
