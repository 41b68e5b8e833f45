"""The scheduler: what waits at the same moment runs as one batch, in a fixed order."""

from __future__ import annotations

import pytest

from clincot.lm.work import finish
from clincot.stages.sample.scheduler import Call, drive


def test_calls_that_wait_together_run_as_one_batch_in_the_order_of_their_coroutines() -> None:
    batches: list[tuple[str, list[int]]] = []

    def runner(kind: str):  # type: ignore[no-untyped-def]
        async def run(requests: list[int]) -> list[int]:
            batches.append((kind, list(requests)))
            return [request * 10 for request in requests]

        return run

    async def work(start: int, rounds: int) -> list[int]:
        seen = []
        for i in range(rounds):
            seen += await Call("double" if i % 2 else "single", (start + i, start + i + 100))
        return seen

    results = finish(
        drive([work(1, 2), work(2, 1), work(3, 2)], {"single": runner("single"), "double": runner("double")})
    )
    assert batches == [("single", [1, 101, 2, 102, 3, 103]), ("double", [2, 102, 4, 104])]
    assert results == [[10, 1010, 20, 1020], [20, 1020], [30, 1030, 40, 1040]]


def test_a_coroutine_that_asks_for_nothing_ends_at_once() -> None:
    async def idle() -> str:
        return "done"

    assert finish(drive([idle()], {})) == ["done"]


def test_an_error_in_a_batch_is_not_swallowed() -> None:
    async def broken(requests: list[int]) -> list[int]:
        raise ZeroDivisionError

    async def work() -> None:
        await Call("broken", (1,))

    with pytest.raises(ZeroDivisionError):
        finish(drive([work()], {"broken": broken}))
