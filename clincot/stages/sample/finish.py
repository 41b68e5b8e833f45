"""A round's shards and an executor -> every shard in the journal, with a line that shows how far it is."""

from __future__ import annotations

import math
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from clincot import methods
from clincot.errors import RoundError
from clincot.executors.base import DEATHS, Executor, Piece, SetAside
from clincot.methods.base import Foresees
from clincot.progress import Advance, bar, few_of
from clincot.stages.sample.builder import Builder, Built
from clincot.stages.sample.lengths import check_lengths
from clincot.stages.sample.shards import SWAPS

# A number here shuffles the order in which shards are built, to check that the order decides nothing.
ORDER = "CLINCOT_SHARD_ORDER"


def finish(builder: Builder, executor: Executor) -> None:
    """Build every shard that the journal lacks. Raises RoundError naming those whose process died each time."""
    job, journal = builder.job, builder.journal
    sizes, finished = [len(shard) for shard in builder.shards], journal.finished()
    left = [number for number in range(len(sizes)) if number not in finished]
    if not left:
        return
    open_work = job.elsewhere if executor.elsewhere and job.elsewhere else lambda: builder
    done = sum(sizes[number] for number in finished)
    with bar(f"round {job.round}: sampling candidates", sum(sizes), "questions", done=done) as advance:
        pace = Pace(sizes, advance)
        try:
            executor.run(open_work, pieces(left, builder, executor), pace.mark)
        except SetAside as aside:
            raise _killers(builder, aside) from aside
    if lost := sorted(set(left) - journal.finished()):
        raise RoundError(
            f"{journal.shard(lost[0])}: was built by another process, but is not here. Start in a folder that all"
            " machines share, under the same path."
        )


def check(builder: Builder) -> None:
    """Look at the lengths of all questions where shards are missing; raises DataError when none can be asked.

    A method that cannot name its shortest requests needs no tokenizer, and none is fetched.
    """
    job = builder.job
    method = methods.of_recipe(job.recipe)
    missing = len(builder.journal.finished()) < len(builder.shards)
    if missing and job.load_rooms is not None and isinstance(method, Foresees):
        check_lengths(job.recipe, method, job.examples, job.load_rooms())


def pieces(left: list[int], builder: Builder, executor: Executor) -> list[Piece]:
    """Return the shards as pieces of work: one each, or several where models take turns and serve all of a piece."""
    if ORDER in os.environ:
        random.Random(os.environ[ORDER]).shuffle(left)
    models = builder.job.recipe.models
    most = models.shards_together if models.resident == "one" else 1
    size = max(1, min(most, math.ceil(len(left) / (executor.workers or 1))))
    return [tuple(left[start : start + size]) for start in range(0, len(left), size)]


def _killers(builder: Builder, aside: SetAside) -> RoundError:
    numbers = [number for piece in aside.pieces for number in piece if not builder.journal.has(number)]
    images = sorted({example.image_label for number in numbers for example in builder.shards[number]})
    return RoundError(
        f"shards {few_of([str(number) for number in numbers], 'see above')} (images"
        f" {few_of(images, 'the rest of the shards')}): their process died {DEATHS} times; all others are finished."
        " Look for a lack of memory (lower build.batch_size or --workers), then give the command again."
    )


@dataclass
class Pace:
    """What the progress line shows of the shards that were built, by whichever process."""

    sizes: Sequence[int]
    advance: Advance
    started: float = field(default_factory=time.monotonic)
    candidates: int = 0
    failures: int = 0
    again: int = 0
    counters: Counter[str] = field(default_factory=Counter)

    def mark(self, piece: Piece, built: Sequence[Built]) -> None:
        """Show the shards of a piece of work as finished."""
        for one in built:
            self.candidates += one.candidates
            self.failures += one.failures
            self.again += one.again
            self.counters.update(one.counters)
        self.advance(sum(self.sizes[number] for number in piece), self.note())

    def note(self) -> str:
        """Return candidates per second, the share of prefill tokens saved, judge failures and memory splits."""
        rate = self.candidates / max(1e-9, time.monotonic() - self.started)
        notes = [f"{rate:.1f} candidates/s"]
        saved, read = self.counters["saved_prefill_tokens"], self.counters["prefill_tokens"]
        if saved:
            notes.append(f"{saved / (saved + read):.0%} of prefill tokens saved")
        notes.append(f"{self.failures} judge failures")
        if self.counters["memory_splits"]:
            notes.append(f"batches split for memory: {self.counters['memory_splits']}")
        if self.again:
            notes.append(f"shards built twice: {self.again}")
        if self.counters[SWAPS]:
            notes.append(f"models swapped {self.counters[SWAPS]} times")
        return ", ".join(notes)
