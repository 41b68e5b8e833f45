"""The programs of a few shards and the models that they wait for -> the result of each shard as soon as it has one.

Every call is about one shard alone, in the order of that shard, with what the model kept of it, so its rows do not
depend on the others that it is driven with. What they share is a model's turn on its device.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import torch

from clincot.engines.base import Keeping
from clincot.errors import ModelError
from clincot.lm.parking import Parking, weights_of
from clincot.lm.work import Work
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import counts_of

R = TypeVar("R")


@dataclass(frozen=True)
class Finished(Generic[R]):
    """What the program of shard `number` returned, and what the models computed for it."""

    number: int
    result: R
    counters: Counter[str]


@dataclass
class _Driven(Generic[R]):
    """A shard on its way: the call that it waits for, or in the end its result."""

    number: int
    program: Coroutine[Work[Any], Any, R]
    waits: Work[Any] | None = None
    finished: Finished[R] | None = None
    counters: Counter[str] = field(default_factory=Counter)

    def advance(self, value: Any = None) -> None:
        try:
            self.waits = self.program.send(value)
        except StopIteration as stop:
            self.waits, self.finished = None, Finished(self.number, stop.value, self.counters)

    @property
    def model(self) -> Any:
        return self.waits.model if self.waits else None


def together(models: Models, programs: Mapping[int, Coroutine[Work[Any], Any, R]]) -> Iterator[Finished[R]]:
    """Drive all programs to their ends; yield each shard, by its number, when it is finished.

    A model keeps its turn as long as any shard waits for it. The next turn is that of the model with the most requests.
    """
    shards = [_Driven(number, program) for number, program in programs.items()]
    turns: Turns | None = None
    try:
        if models.parking is not None:
            turns = Turns(models.parking, models)
        for shard in shards:
            _step(shard, models, turns)
        while shards:
            for done in [shard.finished for shard in shards if shard.finished]:
                if turns:
                    turns.end(done.number)
                yield done
            shards = [shard for shard in shards if not shard.finished]
            if shards:
                _step(turns.next_of(shards) if turns else shards[0], models, turns)
    finally:
        for shard in shards:
            shard.program.close()
            if turns:
                turns.end(shard.number)


def alone(models: Models, program: Coroutine[Work[Any], Any, R]) -> R:
    """Drive one program, and return its result."""
    (done,) = together(models, {0: program})
    return done.result


def _step(shard: _Driven[Any], models: Models, turns: Turns | None) -> None:
    """Do what a shard waits for, and let it go on to the next that it waits for; count what the models did."""
    before, value = counts_of(models), None
    if shard.waits is not None:
        if turns:
            turns.give(shard.waits.model, shard.number)
        value = shard.waits.run()
    shard.advance(value)
    shard.counters += counts_of(models) - before


class Turns:
    """Whose turn it is: one model of each device, and of each engine what it kept of one shard."""

    def __init__(self, parking: Parking, models: Models) -> None:
        """Raise ModelError for an engine that cannot set aside what it keeps of a shard."""
        self.parking = parking
        self._engines: dict[torch.nn.Module, Keeping] = {}
        self._aside: dict[tuple[Keeping, int], Any] = {}
        self._now: tuple[Keeping, int] | None = None
        for model in (*models.engines, *models.judges):
            weights, keeper = weights_of(model), _innermost(model)
            if weights is not None and hasattr(keeper, "forget"):
                self._engines[weights] = _keeping(keeper)

    def next_of(self, shards: Sequence[_Driven[Any]]) -> _Driven[Any]:
        """Return the shard to serve: one whose model has its turn, else one of the model with the most requests."""
        ready = [shard for shard in shards if self.parking.is_ready(shard.model)]
        if ready:
            here = self._now[1] if self._now else None
            return next((shard for shard in ready if shard.number == here), ready[0])
        asked: Counter[torch.nn.Module | None] = Counter()
        for shard in shards:
            asked[weights_of(shard.model)] += shard.waits.requests if shard.waits else 0
        most = max(asked, key=lambda weights: asked[weights])
        return next(shard for shard in shards if weights_of(shard.model) is most)

    def give(self, model: Any, number: int) -> None:
        """Bring `model` to its device, with what it kept of this shard."""
        weights = weights_of(model)
        engine = self._engines.get(weights) if weights is not None else None
        wanted = None if engine is None else (engine, number)
        if not self.parking.is_ready(model) or (wanted is not None and wanted != self._now):
            self._leave()
        self.parking.wake(model)
        if wanted is not None and wanted != self._now:
            if wanted in self._aside:
                wanted[0].take_back(self._aside.pop(wanted))
            self._now = wanted

    def end(self, number: int) -> None:
        """Drop what engines kept of a shard."""
        if self._now is not None and self._now[1] == number:
            self._now[0].forget()
            self._now = None
        self._aside = {of: kept for of, kept in self._aside.items() if of[1] != number}

    def _leave(self) -> None:
        """Set aside what the engine at work kept of its shard."""
        if self._now is not None:
            self._aside[self._now] = self._now[0].set_aside()
            self._now = None


def _innermost(model: Any) -> Any:
    """Return what computes: the judge behind stored ratings, the engine behind a judge."""
    while (inner := getattr(model, "judge", None) or getattr(model, "engine", None)) is not None:
        model = inner
    return model


def _keeping(engine: Any) -> Keeping:
    if not isinstance(engine, Keeping):
        raise ModelError(
            f"models.resident: one: a model of class {type(engine).__name__} cannot set aside what it keeps of a"
            " shard (`Keeping` in clincot/engines/base.py). Set models.resident: all."
        )
    return engine
