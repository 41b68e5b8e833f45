"""A run and a round that rank 0 builds -> shards of it, built by another process of the same launch."""

from __future__ import annotations

from clincot.errors import RoundError
from clincot.executors.launch import join_launch
from clincot.executors.world import World
from clincot.runs.rounds.build import job_of, made_of
from clincot.runs.run import Run
from clincot.stages.sample.build import share


def share_round(run: Run, round_: int, world: World) -> None:
    """Build shards of `round_` until none is free; rank 0 merges and commits them.

    Raises RoundError when this process would build something else than rank 0.
    """
    launch, order = join_launch(world, run.folder / "launches")
    if not order["tag"]:
        return
    made = made_of(run, round_)
    if made.inputs != order["inputs"]:
        raise RoundError(
            f"rank {world.rank}: sees other settings, models or data than rank 0."
            " Start every process with the same command and the same version of the package."
        )
    share(job_of(run, round_, made, order["tag"], world)[0], launch)
