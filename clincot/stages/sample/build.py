"""Stage 1: a round's examples and models -> parquet files of candidates and regions, shard by shard, resumable.

Any number of processes build together: each takes the next shard that nobody has (worker.py, launch.py) and puts it
into the journal (journal.py); rank 0 merges what all of them finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clincot.errors import DataError
from clincot.executors.journal import DamagedShard, Journal
from clincot.executors.launch import Launch
from clincot.judges.cache import Recorded, read
from clincot.progress import left_out, notice
from clincot.records import Example
from clincot.records.lineage import content_key
from clincot.rows import schema
from clincot.stages.sample.shards import PARTS, RATINGS, SWAPS, Part, Totals, cut_shards, shards_key
from clincot.stages.sample.worker import BuildJob, Worker

REMAKES = 3


@dataclass(frozen=True)
class BuildOutcome:
    """Files by their path in the dataset repository, and the facts that its card shows."""

    files: dict[str, Path]
    facts: dict[str, Any]


def build(job: BuildJob, launch: Launch | None = None) -> BuildOutcome:
    """Finish every shard of the round, with the launch's other processes, and merge them (rank 0, or a process alone).

    A shard whose files are damaged on disk is made again. Raises RoundError when the folder holds an unfinished build
    of something else.
    """
    launch = launch or Launch()
    worker = worker_of(job, launch)
    worker.finish()
    worker.close()
    for _ in range(REMAKES):
        try:
            outcome = merge(job.folder, job.round, len(worker.shards))
        except DamagedShard:
            worker.remake()
        else:
            worker.close()
            worker.journal.clear()
            return outcome
    raise DataError(f"{job.folder}: shards are damaged again and again. Check the disk, or give another folder.")


def share(job: BuildJob, launch: Launch) -> None:
    """Finish the shards that this process gets hold of (ranks above 0)."""
    worker_of(job, launch).finish()


def merge(folder: Path, round_: int, count: int) -> BuildOutcome:
    """Write one file per part from shards 0 to `count` of the journal in `folder`; memory holds a row group.

    Raises DamagedShard for a shard that is not what was written.
    """
    journal, totals = Journal(folder), Totals()
    for number in range(count):
        totals.add(journal.report(number))
    facts = totals.facts()
    if facts["unreadable_images"]:
        notice(left_out(facts["unreadable_images"], "unreadable_images of the round's lineage"))
    merged = folder / "merged"
    if facts.get(SWAPS):
        notice(f"swapped models {facts[SWAPS]} times")
    files: dict[str, Path] = {}
    for part in PARTS:
        path = merged / part.name  # two commands may merge the same round at once: the last one to finish wins
        schema.write_parquet(_tables(journal, count, part), path, part.features)
        files[f"round-{round_}{part.config}/train-00000-of-00001.parquet"] = path
    return BuildOutcome(files, facts)


def ratings(job: BuildJob) -> Iterator[Recorded]:
    """Yield what the judges of a finished build said for the first time, for later builds of the run."""
    journal = Journal(job.folder)
    for number in sorted(journal.finished()):
        path = journal.shard(number) / f"{RATINGS}.parquet"
        if path.is_file():
            yield from read(path)


def _tables(journal: Journal, count: int, part: Part) -> Iterator[pa.Table]:
    """Yield a part's tables, one shard after another; each is checked against what was written."""
    for number in range(count):
        data = journal.part(number, part.name, journal.report(number))
        if data is not None:
            yield pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)


def worker_of(job: BuildJob, launch: Launch) -> Worker:
    """Cut the shards and open the journal. Raises RoundError when it holds an unfinished build of something else."""
    shards = cut_shards(job.examples, job.recipe.build.shard_images)
    journal = Journal(job.folder)
    journal.open(_plan(job, shards))
    return Worker(job, launch, journal, shards)


def _plan(job: BuildJob, shards: Sequence[Sequence[Example]]) -> dict[str, Any]:
    return {
        "layout": 3,
        "round": job.round,
        "method": job.recipe.method.tree(),
        "seed": job.recipe.seed,
        "rounds": job.recipe.rounds,
        "image_layout": job.recipe.image_layout,
        **job.recipe.fit_facts,
        "build": asdict(job.recipe.build),
        "made from": dict(job.made_from),
        "examples": len(job.examples),
        "shards": len(shards),
        "shards_key": shards_key(shards),
        "inputs_key": content_key(job.key, repr(job.recipe.build), repr(job.recipe.method), job.recipe.seed),
    }
