"""A run's order -> what answers groups of images in another process; that of the command scores the answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from clincot.errors import RoundError
from clincot.progress import bar
from clincot.runs.order import RunOrder

if TYPE_CHECKING:
    from clincot.engines.base import Engine
    from clincot.executors.base import Executor, Piece, Worker
    from clincot.runs.run import Run
    from clincot.stages.evaluate.answering import Answering, PolicyUnderTest


def answer_elsewhere(
    answering: Answering, policies: Sequence[PolicyUnderTest], executor: Executor, run: Run, last: int, inputs: str
) -> None:
    """Let an executor's processes compute the answers that are not stored, one policy after the other."""
    pieces = answering.missing(policies)
    if not pieces:
        return
    open_work = partial(open_answering, RunOrder.of(run), last, inputs)
    total = sum(answering.questions(place) for _, place in pieces)
    with bar("answering", total, "questions") as advance:
        executor.run(open_work, pieces, lambda piece, count: advance(count))


def open_answering(order: RunOrder, last: int, inputs: str) -> Worker:
    """Return what answers pieces (policy, group) of an evaluation; one policy is loaded at a time.

    Raises RoundError when this process would answer something else than that of the command.
    """
    run = order.open()
    from clincot.runs.evaluation.made import made_of
    from clincot.stages.evaluate import answering_of

    made = made_of(run, last)
    if made.inputs != inputs:
        raise RoundError(
            f"{run.name}: the adapters, the models or the data have changed since the command began. Give it again."
        )
    answering = answering_of(run.recipe, made.splits.asked, made.proposer, made.folder, proposer_key=made.proposer_key)
    policies = made.policies(trained_on=False)
    if run.recipe.models.resident == "one":
        answering.look_first(policies)

    @lru_cache(maxsize=1)
    def loaded(number: int) -> Engine:
        return policies[number].load()

    def answer(piece: Piece) -> int:
        number, place = piece
        answering.answer(policies[number], place, lambda: loaded(number))
        return answering.questions(place)

    return answer
