"""Coroutines that await calls of loaded models -> their results; who drives them says which model's turn it is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True)
class Work(Generic[R]):
    """A call of `model` (engine, judge, proposer, ...) about `requests` requests; awaiting it returns its result.

    `run` may be called only while the weights of the model are on their device (lm/parking.py).
    """

    model: Any
    run: Callable[[], R] = field(repr=False)
    requests: int

    def __await__(self) -> Generator[Work[R], R, R]:
        return (yield self)


def finish(program: Coroutine[Work[Any], Any, R]) -> R:
    """Run a program to its end by itself, each call at once: for models that are all on their devices."""
    value: Any = None
    try:
        while True:
            value = program.send(value).run()
    except StopIteration as stop:
        result: R = stop.value
        return result
    finally:
        program.close()
