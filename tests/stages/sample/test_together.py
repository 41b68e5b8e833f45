"""Shards that are driven together: whose turn it is, what an engine keeps of each, and what is left when one fails."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import torch

from clincot.errors import ModelError
from clincot.lm.parking import Parking, Spot
from clincot.lm.requests import Counters
from clincot.lm.work import Work
from clincot.stages.sample.serving import Models
from clincot.stages.sample.together import Finished, together

Program = Coroutine[Work[Any], Any, list[Any]]


class Rule:
    """A model without weights."""


class Weighty(Rule):
    """A model with weights of its own."""

    def __init__(self) -> None:
        self.weights = torch.nn.Linear(1, 1)


class Engine(Weighty):
    """Keeps what it was asked, and says what it kept before; counts what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []
        self.counters = Counters()

    def ask(self, text: str) -> list[str]:
        before, self.kept = self.kept, [*self.kept, text]
        self.counters.generated_texts += 1
        return before

    def forget(self) -> None:
        self.kept = []

    def set_aside(self) -> list[str]:
        kept, self.kept = self.kept, []
        return kept

    def take_back(self, kept: list[str]) -> None:
        assert not self.kept, "of another shard"
        self.kept = kept


class Keepless(Weighty):
    counters = Counters()

    def forget(self) -> None: ...


def models_of(engine: Any, *others: Any) -> Models:
    parking = Parking(lambda weights: Spot(weights, torch.device("cpu", 0)))
    for model in (engine, *others):
        parking.add(model, "model")
    return Models(engine, parking=parking)


def program(name: str, *calls: tuple[Any, int]) -> Callable[[], Program]:
    """Ask models in turn, each about so many requests; the result is what the engine kept at each call."""

    async def run() -> list[Any]:
        said = []
        for number, (model, requests) in enumerate(calls):
            text = f"{name}{number}"
            said.append(await Work(model, lambda m=model, t=text: m.ask(t) if isinstance(m, Engine) else t, requests))
        return said

    return run


def driven(models: Models, *programs: Callable[[], Program]) -> list[Finished[list[Any]]]:
    return list(together(models, {number: start() for number, start in enumerate(programs)}))


def test_an_engine_has_of_each_shard_what_it_kept_of_that_shard() -> None:
    engine, judge = Engine(), Weighty()
    calls = [(engine, 1), (engine, 1), (judge, 1), (engine, 1), (Rule(), 1), (engine, 1)]
    a, b = driven(models_of(engine, judge), program("a", *calls), program("b", *calls))
    assert a.result == [[], ["a0"], "a2", ["a0", "a1"], "a4", ["a0", "a1", "a3"]]
    assert b.result == [[], ["b0"], "b2", ["b0", "b1"], "b4", ["b0", "b1", "b3"]]
    assert engine.kept == []
    assert (a.number, b.number, a.counters["generated_texts"], b.counters["generated_texts"]) == (0, 1, 4, 4)


def test_a_model_keeps_its_turn_while_a_shard_waits_for_it_and_most_requests_come_next() -> None:
    engine, few, many = Engine(), Weighty(), Weighty()
    models = models_of(engine, few, many)
    order: list[str] = []
    assert models.parking is not None
    wake = models.parking.wake
    names = {id(engine): "engine", id(few): "few", id(many): "many"}
    models.parking.wake = lambda model: order.append(names[id(model)]) or wake(model)  # type: ignore[method-assign]
    done = driven(
        models,
        program("a", (engine, 1), (few, 1), (engine, 1)),
        program("b", (engine, 1), (many, 3), (engine, 1)),
        program("c", (engine, 1), (few, 1), (engine, 1)),
    )
    assert order == ["engine"] * 3 + ["many"] + ["few"] * 2 + ["engine"] * 3
    assert models.parking.swaps == 4 == sum(one.counters["model_swaps"] for one in done)


def test_rules_and_servers_take_nobodys_turn() -> None:
    engine = Engine()
    models = models_of(engine)
    driven(models, *(program(name, (engine, 1), (Rule(), 9), (engine, 1)) for name in "ab"))
    assert models.parking is not None and models.parking.swaps == 1


def test_without_parking_one_shard_follows_the_other() -> None:
    engine = Engine()
    (a,) = driven(Models(engine), program("a", (engine, 1), (Weighty(), 1), (engine, 1)))  # type: ignore[arg-type]
    assert a.result == [[], "a1", ["a0"]] and "model_swaps" not in a.counters


def test_shards_that_were_finished_before_an_error_are_there() -> None:
    engine, judge, closed = Engine(), Weighty(), []

    async def interrupted() -> list[Any]:
        def stop() -> None:
            raise KeyboardInterrupt

        try:
            await Work(engine, lambda: None, 1)
            await Work(judge, stop, 1)
        finally:
            closed.append(True)
        return []

    found = []
    with pytest.raises(KeyboardInterrupt):
        for one in together(models_of(engine, judge), {4: program("a", (engine, 1))(), 5: interrupted()}):
            found.append(one.number)
    assert found == [4] and closed == [True] and engine.kept == []


def test_an_engine_that_cannot_set_aside_is_refused() -> None:
    with pytest.raises(ModelError, match="class Keepless cannot set aside.*resident: all"):
        driven(models_of(Keepless()), program("a"))
