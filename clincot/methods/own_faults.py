"""What a method of one's own raises -> an error that names it, the example and the line; our own faults stay bugs."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from clincot.errors import ClincotError
from clincot.methods.base import Method, Tools
from clincot.records import Candidate, Example
from clincot.records.pairs import Pair


async def sampled(method: Method, example: Example, tools: Tools) -> list[Candidate]:
    """Return what `method.sample` does. Raises ClincotError for what a class from outside this package raises."""
    with named(method, "sample", example):
        return await method.sample(example, tools)


@contextmanager
def named(method: Method, part: str, example: Example) -> Iterator[None]:
    """Turn an exception of a class from outside this package into a ClincotError."""
    try:
        yield
    except ClincotError:
        raise
    except Exception as error:
        kind = type(method)
        if kind.__module__.startswith("clincot."):
            raise
        file = inspect.getfile(kind)
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        line = f", line {own[-1].lineno}" if own else ""
        raise ClincotError(
            f"method {kind.__name__} ({file}{line}): {part} raised {type(error).__name__} for {example.id}:"
            f" {' '.join(str(error).split())}. Correct it, then run again."
        ) from error


def check_pairs(found: Sequence[object], seen: set[str]) -> None:
    """Raise TypeError for what is no list of pairs, ValueError for a pair whose id is `seen`; its ids are added."""
    for one in found:
        if not isinstance(one, Pair):
            raise TypeError(f"it returns {one!r} among its pairs, which is no Pair")
        if one.id in seen:
            raise ValueError(f"it returns a second pair called {one.id!r}: readers mark pairs by their ids")
        seen.add(one.id)
