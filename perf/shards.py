"""Start-up and merge of a build with 1,000 and with 100,000 finished shards: CPU time per shard, and memory.

The functions are those of `clincot build-data`; the shards are synthetic (two small candidates and a region each).
Fails when a shard costs more than 1.5 times as much among many, or when merged rows are not the shards' rows.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq

from clincot.recipe import load_recipe
from clincot.records import WHOLE, Box, Candidate, Example, Hypothesis, Region, View
from clincot.stages.sample.build import merge
from clincot.stages.sample.builder import Builder, BuildJob
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import shard_report, write_parts
from clincot.stages.sample.workbench import ShardResult

FREE, LINKED = 1000, 1000  # shards left to build; finished shards that share the bytes of one


def example(number: int) -> Example:
    name = f"{number:08d}"
    return Example(f"perf/{name}", name, b"", "Is it?", "yes", "closed", "ANY", "chest x-ray", "yes")


def result(number: int) -> ShardResult:
    of, region = example(number), Region("opacity", Box(0, 0, 8, 8), 0.5)
    views = (WHOLE, View("crop", region))
    good, bad = (
        Candidate(f"{of.id}/0/{side}", of.id, 0, f"text {side}", region, (), -1.0, 3, score=0.5 + side / 4, views=views)
        for side in (1, 0)
    )
    looked = Hypothesis(of.image_id, region.hypothesis, 0.5, region, crop_id="0" * 16)
    return ShardResult((good, bad), (looked,), {}, ())


def job(folder: Path, count: int) -> BuildJob:
    recipe = load_recipe("clincot", "phantom", overrides=("build.shard_images=1",))
    examples = tuple(example(number) for number in range(count + FREE))
    return BuildJob(recipe, 1, examples, "key", folder, no_models)


def no_models() -> Models:
    raise AssertionError("no shard is built here")


def make(folder: Path, count: int) -> None:
    """Finish `count` shards: the first of every thousand is written by the journal, the others share its bytes."""
    builder = Builder.of(job(folder, count))
    for number in range(count):
        shard, first = builder.journal.shard(number), number - number % LINKED
        if number == first:
            made = result(number)
            report = shard_report(made, builder.shards[number], {})
            builder.journal.put(number, lambda path, made=made: write_parts(made, 1, path), report)
            continue
        shard.mkdir()
        for source in builder.journal.shard(first).iterdir():
            os.link(source, shard / source.name)


def spent(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def measure(folder: Path, count: int, answer: multiprocessing.Queue[tuple[float, float, float, float]]) -> None:
    wanted = job(folder, count)
    start_up = min(spent(lambda: Builder.of(wanted).journal.finished()) for _ in range(3))
    builder = Builder.of(wanted)
    assert builder.journal.finished() == set(range(count))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    merging = spent(lambda: merge(folder, 1, count))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ids = pq.read_table(folder / "merged" / "candidates.parquet", columns=["id"])["id"].to_pylist()[::2]
    assert ids == [f"perf/{n - n % LINKED:08d}/0/1" for n in range(count)], "the merged rows are not the shards' rows"
    answer.put((start_up / (count + FREE), merging / count, before, peak))


def measured(folder: Path, count: int) -> tuple[float, ...]:
    """Measure in a process of its own, so that its memory is its own too."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=measure, args=(folder, count, answer))
    process.start()
    process.join()
    assert process.exitcode == 0, f"measuring {count} shards failed"
    row: tuple[float, ...] = answer.get()
    return row


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--few", type=int, default=1000)
    options.add_argument("--many", type=int, default=20_000, help="100000 for the figures in docs/performance.md")
    options.add_argument("--limit", type=float, default=1.5)
    options.add_argument(
        "--repeats", type=int, default=2, help="measurements of few, before many and after; the median counts"
    )
    wanted = options.parse_args()
    sizes = (wanted.few, wanted.many)
    folders = {count: Path(tempfile.mkdtemp(prefix="shards-")) for count in sizes}
    try:
        for count, folder in folders.items():
            make(folder, count)
        # Few before and after many: a machine that others use is not equally fast all the time.
        order = [wanted.few] * wanted.repeats + [wanted.many] + [wanted.few] * wanted.repeats
        found = [(count, measured(folders[count], count)) for count in order]
    finally:
        for folder in folders.values():
            shutil.rmtree(folder)
    rows = [[median(all_) for all_ in zip(*(row for n, row in found if n == count), strict=True)] for count in sizes]
    print(f"{'CPU microseconds per shard':28}{wanted.few:>10,}{wanted.many:>10,}{'ratio':>8}")
    names = ("start-up", "merge")
    for i, name in enumerate(names):
        few, many = rows[0][i] * 1e6, rows[1][i] * 1e6
        print(f"{name:28}{few:10.1f}{many:10.1f}{many / few:8.2f}")
    for i, name in ((2, "MiB before the merge"), (3, "MiB at most")):
        print(f"{name:28}{rows[0][i]:10.0f}{rows[1][i]:10.0f}{rows[1][i] / rows[0][i]:8.2f}")
    slow = [name for i, name in enumerate(names) if rows[1][i] > wanted.limit * rows[0][i]]
    assert not slow, f"more than {wanted.limit} times as dear among many: {slow}"


if __name__ == "__main__":
    main()
