"""Coroutines that await calls -> their results, with the calls that wait at the same moment run as one batch.

Order is a function of the coroutines' order alone: no clock, no threads, so a shard repeats exactly.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

R = TypeVar("R")
Runner = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]


@dataclass(frozen=True)
class Call:
    """Requests of one kind that a coroutine waits for; awaiting it returns their results in order."""

    kind: str
    requests: tuple[Any, ...]

    def __await__(self) -> Generator[Call, list[Any], list[Any]]:
        return (yield self)


@dataclass
class _Task(Generic[R]):
    coroutine: Coroutine[Call, list[Any] | None, R]
    waits: Call | None = None
    result: R | None = None

    def advance(self, value: list[Any] | None) -> None:
        try:
            self.waits = self.coroutine.send(value)
        except StopIteration as stop:
            self.waits, self.result = None, stop.value


async def drive(coroutines: Sequence[Coroutine[Any, Any, R]], runners: Mapping[str, Runner]) -> list[R]:
    """Run all coroutines to their end; `runners[kind]` answers a batch of requests, one result each, in order.

    Kinds are served in the order of `runners`; within a kind, requests are in the order of the coroutines. A runner may
    await the models (lm/work.py), and so does this: several shards can wait for the same model.
    """
    tasks: list[_Task[R]] = [_Task(coroutine) for coroutine in coroutines]
    for task in tasks:
        task.advance(None)
    while any(task.waits for task in tasks):
        for kind, run in runners.items():
            waiting = [(task, task.waits) for task in tasks if task.waits is not None and task.waits.kind == kind]
            requests = [request for _, call in waiting for request in call.requests]
            results = list(await run(requests)) if waiting else []
            start = 0
            for task, call in waiting:
                task.advance(results[start : start + len(call.requests)])
                start += len(call.requests)
    return [task.result for task in tasks]  # type: ignore[misc]
