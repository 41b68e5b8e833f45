"""Numbers of shards -> those shards in the journal, built by this process; models are loaded for the first of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from clincot import methods
from clincot.engines.crops import report_crops
from clincot.executors.base import Opener, Piece
from clincot.executors.journal import Journal
from clincot.lm.parking import release_unused
from clincot.lm.work import Work
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.records.lineage import content_key
from clincot.stages.sample.first_look import look_at_judges
from clincot.stages.sample.lengths import Rooms
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import abilities_of, cut_shards, failures_of, shard_report, shards_key, write_parts
from clincot.stages.sample.together import alone, together
from clincot.stages.sample.workbench import ShardResult, Workbench, sample_shard


@dataclass(frozen=True)
class BuildJob:
    """A round to build: `key` names the policy, the models and the data; a journal of another key is refused.

    `made_from` names them for people (an error shows what differs). `load_models` is called only when a shard is left.
    `load_rooms` opens what can count the tokens of prompts; with it the whole split is checked before any model loads.
    `elsewhere` opens the same job in another process; without it the job is for this one.
    """

    recipe: Recipe
    round: int
    examples: tuple[Example, ...]
    key: str
    folder: Path
    load_models: Callable[[], Models]
    made_from: Mapping[str, str] = field(default_factory=dict)
    load_rooms: Callable[[], Rooms] | None = None
    elsewhere: Opener | None = None


@dataclass(frozen=True)
class Built:
    """What the progress line shows of a shard that was built; `again`: another process had finished it meanwhile."""

    number: int
    candidates: int
    failures: int
    counters: Mapping[str, int]
    again: bool


@dataclass
class Builder:
    """What builds shards of a round in one process; the processes of a build share the journal and nothing else.

    `elsewhere`: this process is one of an executor's, not that of the command.
    """

    job: BuildJob
    journal: Journal
    shards: Sequence[tuple[Example, ...]]
    elsewhere: bool = False
    models: Models | None = None

    @classmethod
    def of(cls, job: BuildJob, *, elsewhere: bool = False) -> Builder:
        """Cut the shards, open the journal. Raises RoundError when it holds an unfinished build of something else."""
        shards = cut_shards(job.examples, job.recipe.build.shard_images)
        journal = Journal(job.folder)
        journal.open(_plan(job, shards))
        return cls(job, journal, shards, elsewhere)

    def __call__(self, piece: Piece) -> list[Built]:
        """Drive the shards that the journal lacks together, put each into it as soon as it is finished."""
        missing = [number for number in piece if not self.journal.has(number)]
        if not missing:
            return []
        models, built = self._loaded(missing), []
        programs = {number: self._program(number, models) for number in missing}
        for done in together(models, programs):
            report = shard_report(done.result, self.shards[done.number], done.counters)
            report |= {"abilities": abilities_of(models)}
            first = self.journal.put(done.number, partial(write_parts, done.result, self.job.round), report)
            failed = failures_of(done.result)
            built.append(Built(done.number, len(done.result.candidates), failed, dict(done.counters), not first))
        return built

    def close(self) -> None:
        """Let the models go: in `clincot run` the training of the round comes next, on the same GPU."""
        if self.models is not None:
            self.models = None
            release_unused()

    def _program(self, number: int, models: Models) -> Coroutine[Work[Any], Any, ShardResult]:
        bench = Workbench(self.job.recipe, self.job.round, models)
        return sample_shard(methods.of_recipe(self.job.recipe), self.shards[number], bench)

    def _loaded(self, missing: Sequence[int]) -> Models:
        """Load the models once. Of the processes of a build, the one with the first missing shard looks at them."""
        if self.models is None:
            self.models = self.job.load_models()
            if not self.elsewhere or not set(range(min(missing))) - self.journal.finished():
                self._look(self.models)
        return self.models

    def _look(self, models: Models) -> None:
        """Say what models lose of the images, and how well the judges judge, before the first shard."""
        job = self.job
        report_crops(models.seeing, job.examples)
        alone(models, look_at_judges(job.recipe, methods.of_recipe(job.recipe), job.examples, models, job.folder))


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
