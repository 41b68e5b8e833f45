"""Stage 1: a round's examples and models -> parquet files of candidates and regions, shard by shard, resumable.

An executor hands the shards out to any number of processes; each puts what it finished into the journal (journal.py),
and the process of the command merges them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clincot.errors import DataError
from clincot.executors.base import Executor
from clincot.executors.journal import DamagedShard, Journal
from clincot.executors.local import Local
from clincot.judges.cache import Recorded, read
from clincot.progress import left_out, notice
from clincot.rows import schema
from clincot.stages.sample.builder import Builder, BuildJob
from clincot.stages.sample.finish import check, finish
from clincot.stages.sample.shards import PARTS, RATINGS, SWAPS, Part, Totals

REMAKES = 3


@dataclass(frozen=True)
class BuildOutcome:
    """Files by their path in the dataset repository, and the facts that its card shows."""

    files: dict[str, Path]
    facts: dict[str, Any]


def build(job: BuildJob, executor: Executor | None = None) -> BuildOutcome:
    """Finish every shard of the round, by this process or the executor's, and merge them.

    A shard whose files are damaged on disk is made again. Raises RoundError when the folder holds an unfinished build
    of something else, and for shards whose process died each time.
    """
    builder, executor = Builder.of(job), executor or Local()
    check(builder)
    for _ in range(REMAKES):
        finish(builder, executor)
        builder.close()
        try:
            outcome = merge(job.folder, job.round, len(builder.shards))
        except DamagedShard:
            _discard_damaged(builder)
        else:
            builder.journal.clear()
            return outcome
    raise DataError(f"{job.folder}: shards are damaged again and again. Check the disk, or give another folder.")


def _discard_damaged(builder: Builder) -> None:
    journal = builder.journal
    for number, what in journal.damaged(range(len(builder.shards))).items():
        notice(f"{journal.shard(number)}: {what}. The shard is built again.")
        journal.discard(number)


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
        if part.config is None and part.name not in totals.parts:
            continue  # a method that looks for nothing, or shards of an older version
        path = merged / part.name  # two commands may merge the same round at once: the last one to finish wins
        schema.write_parquet(_tables(journal, count, part), path, part.features)
        if part.config is not None:
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
