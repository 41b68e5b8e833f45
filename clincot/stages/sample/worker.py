"""One process and the shards of a round -> finished shards in the journal, with other processes that do the same."""

from __future__ import annotations

import math
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from clincot import methods
from clincot.engines.crops import report_crops
from clincot.executors.journal import Journal
from clincot.executors.launch import Launch
from clincot.lm.parking import release_unused
from clincot.lm.work import Work
from clincot.methods.base import Foresees
from clincot.progress import Advance, bar, notice
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.stages.sample.first_look import look_at_judges
from clincot.stages.sample.lengths import Rooms, check_lengths
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import SWAPS, abilities_of, failures_of, shard_report, write_parts
from clincot.stages.sample.together import alone, together
from clincot.stages.sample.workbench import ShardResult, Workbench, sample_shard

# A number here shuffles the order in which shards are taken, to check that the order decides nothing.
ORDER = "CLINCOT_SHARD_ORDER"
PAUSE, RECOUNT = 0.2, 5.0
# Rank 0 builds others' shards itself when none was finished for this long, or for ten times its own slowest shard.
PATIENCE = 600.0


@dataclass(frozen=True)
class BuildJob:
    """A round to build: `key` names the policy, the models and the data; a journal of another key is refused.

    `made_from` names them for people (an error shows what differs). `load_models` is called only when a shard is left.
    `load_rooms` opens what can count the tokens of prompts; with it the whole split is checked before any model loads.
    """

    recipe: Recipe
    round: int
    examples: tuple[Example, ...]
    key: str
    folder: Path
    load_models: Callable[[], Models]
    made_from: Mapping[str, str] = field(default_factory=dict)
    load_rooms: Callable[[], Rooms] | None = None


@dataclass
class Worker:
    """One process at work on the shards of a round."""

    job: BuildJob
    launch: Launch
    journal: Journal
    shards: Sequence[tuple[Example, ...]]
    slowest: float = 0.0
    models: Models | None = None

    def finish(self) -> None:
        """Build every shard that is neither finished nor taken by another process of this launch; rank 0 outlasts all.

        Rank 0 waits for the shards that others took, and builds those that nobody finishes.
        """
        finished = self.journal.finished()
        left = [number for number in range(len(self.shards)) if number not in finished]
        if not left:
            return
        self._check()
        sizes = [len(shard) for shard in self.shards]
        done, first = sum(sizes[number] for number in finished), self.launch.world.rank == 0
        title = f"round {self.job.round}: sampling candidates"
        with bar(title, sum(sizes), "questions", done=done, quiet=not first) as advance:
            pace = Pace(sizes, advance, finished)
            self._take(_order(left, self.launch), pace)
            if first:
                self._outlast(pace)

    def _check(self) -> None:
        """Look at the lengths of all questions, once per launch; raises DataError when none can be asked.

        A method that cannot name its shortest requests needs no tokenizer, and none is fetched.
        """
        method = methods.of_recipe(self.job.recipe)
        if self.job.load_rooms is None or self.launch.world.rank or not isinstance(method, Foresees):
            return
        check_lengths(self.job.recipe, method, self.job.examples, self.job.load_rooms())

    def _look(self, models: Models) -> None:
        """Say what models lose of the images, and how well the judges judge: rank 0 does, before its first shard."""
        if self.launch.world.rank == 0:
            job = self.job
            report_crops(models.seeing, job.examples)
            alone(models, look_at_judges(job.recipe, methods.of_recipe(job.recipe), job.examples, models, job.folder))

    def close(self) -> None:
        """Let the models go: in `clincot run` the training of the round comes next, on the same GPU."""
        if self.models is not None:
            self.models = None
            release_unused()

    def remake(self) -> None:
        """Make damaged shards again, and say so."""
        for number, what in self.journal.damaged(range(len(self.shards))).items():
            notice(f"{self.journal.shard(number)}: {what}. The shard is built again.")
            self.journal.discard(number)
            self._build([number])

    def _take(self, left: Sequence[int], pace: Pace) -> None:
        counted, taken, most = time.monotonic(), [], self._together(len(left))
        for number in left:
            if self.journal.has(number):
                pace.mark([number])
            elif self.launch.claim(self.journal.claims, number):
                taken.append(number)
            if len(taken) == most:
                self._build(taken, pace)
                taken = []
            if self.launch.world.size > 1 and time.monotonic() - counted > RECOUNT:
                pace.mark(self.journal.finished())
                counted = time.monotonic()
        self._build(taken, pace)

    def _together(self, left: int) -> int:
        """Return how many of `left` shards to drive together, so that every process of the launch finds some."""
        models = self.job.recipe.models
        most = models.shards_together if models.resident == "one" else 1
        return max(1, min(most, math.ceil(left / self.launch.world.size)))

    def _outlast(self, pace: Pace) -> None:
        last, missing = time.monotonic(), len(self.shards) + 1
        while left := set(range(len(self.shards))) - self.journal.finished():
            if len(left) < missing:
                last, missing = time.monotonic(), len(left)
                pace.mark(set(range(len(self.shards))) - left)
            silence = time.monotonic() - last
            if silence > max(PATIENCE, 10 * self.slowest):
                notice(
                    f"shard {min(left)}: another process has it and finished nothing for {silence:.0f} s. Built here."
                )
                self._build([min(left)], pace)
            time.sleep(PAUSE)
        pace.mark(range(len(self.shards)))

    def _build(self, numbers: Iterable[int], pace: Pace | None = None) -> None:
        """Drive some shards together, and put each into the journal as soon as it is finished."""
        started, programs = time.monotonic(), {number: self._program(number) for number in numbers}
        models = self._loaded() if programs else Models(None)
        for done in together(models, programs):
            report = shard_report(done.result, self.shards[done.number], done.counters)
            report |= {"abilities": abilities_of(models)}
            self.journal.put(done.number, partial(write_parts, done.result, self.job.round), report)
            self.slowest = max(self.slowest, time.monotonic() - started)
            if pace:
                pace.add(done.result, done.counters)
                pace.mark([done.number])

    def _program(self, number: int) -> Coroutine[Work[Any], Any, ShardResult]:
        bench = Workbench(self.job.recipe, self.job.round, self._loaded())
        return sample_shard(methods.of_recipe(self.job.recipe), self.shards[number], bench)

    def _loaded(self) -> Models:
        if self.models is None:
            self.models = self.job.load_models()
            self._look(self.models)
        return self.models


@dataclass
class Pace:
    """What the progress line shows: questions finished on disk by anyone, and this process's own rates."""

    sizes: Sequence[int]
    advance: Advance
    known: set[int]
    started: float = field(default_factory=time.monotonic)
    candidates: int = 0
    failures: int = 0
    counters: Counter[str] = field(default_factory=Counter)

    def add(self, result: ShardResult, counters: Mapping[str, int]) -> None:
        """Count what this process built."""
        self.candidates += len(result.candidates)
        self.failures += failures_of(result)
        self.counters.update(counters)

    def mark(self, finished: Iterable[int]) -> None:
        """Show these shards as finished, whoever finished them."""
        new = set(finished) - self.known
        self.known |= new
        if new:
            self.advance(sum(self.sizes[number] for number in new), self.note())

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
        if self.counters[SWAPS]:
            notes.append(f"models swapped {self.counters[SWAPS]} times")
        return ", ".join(notes)


def _order(left: list[int], launch: Launch) -> list[int]:
    """Return shards in the order to take them: each process starts elsewhere, so that few claims collide."""
    if ORDER in os.environ:
        random.Random(f"{os.environ[ORDER]}/{launch.world.rank}").shuffle(left)
        return left
    start = launch.world.rank * len(left) // launch.world.size
    return left[start:] + left[:start]
