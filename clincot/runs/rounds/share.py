"""A run's order and a round -> what builds shards of it in another process; the process of the command merges them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clincot.errors import RoundError

if TYPE_CHECKING:
    from clincot.executors.base import Worker
    from clincot.runs.order import RunOrder


def open_round(order: RunOrder, round_: int, tag: str, inputs: str) -> Worker:
    """Return what builds shards of `round_` under `tag`; it loads models when it builds the first one.

    Raises RoundError when this process would build something else than that of the command.
    """
    run = order.open()
    from clincot.runs.rounds.made import job_of, made_of
    from clincot.stages.sample.builder import Builder

    made = made_of(run, round_)
    if made.inputs != inputs:
        raise RoundError(f"round {round_}: the models or the data have changed since the command began. Give it again.")
    return Builder.of(job_of(run, round_, made, tag)[0], elsewhere=True)
