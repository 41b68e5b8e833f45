"""A training job of rank 0 and the processes of its launch -> the same job in all of them; rank 0 alone publishes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clincot.errors import RoundError
from clincot.executors.world import World
from clincot.recipe import Recipe
from clincot.runs.run import Run

if TYPE_CHECKING:
    from clincot.stages.train.job import TrainJob, TrainOutcome
    from clincot.stages.train.sft import SftJob


def train_distributed(run: Run, world: World, job: TrainJob | SftJob | None) -> TrainOutcome | None:
    """Rank 0's part: send the others what is trained (None: nothing), train it with them, return the outcome.

    The work folder, the rows and the snapshots must be where the others see them too: one machine, or shared folders.
    """
    if world.size > 1:
        _told({"kind": type(job).__name__, "recipe": run.recipe.hash, "job": _plain(job)})
    return None if job is None else _train(job)


def join_training(run: Run, world: World) -> None:
    """Another rank's part: hear from rank 0 what is trained and train it with the others; writes nothing.

    Raises RoundError when this process would train something else than rank 0.
    """
    order = _told(None)
    if order["job"] is None:
        return
    if order["recipe"] != run.recipe.hash:
        raise RoundError(
            f"rank {world.rank}: has another recipe than rank 0. Start every process with the same command and the"
            " same version of the package."
        )
    _train(_job(order["kind"], run.recipe, order["job"]))


def _told(order: dict[str, Any] | None) -> dict[str, Any]:
    """Return rank 0's order to every process; the others wait for it, as rank 0 may have to download first.

    When rank 0 fails before, its launcher ends the others.
    """
    from accelerate.utils import broadcast_object_list

    from clincot.stages.train.distributed import processes

    processes()
    said = [order]
    broadcast_object_list(said)
    assert said[0] is not None
    return said[0]


def _train(job: TrainJob | SftJob) -> TrainOutcome:
    from clincot.stages.train.dpo import train_adapter
    from clincot.stages.train.sft import SftJob, train_sft

    return train_sft(job) if isinstance(job, SftJob) else train_adapter(job)


def _plain(job: TrainJob | SftJob | None) -> dict[str, Any] | None:
    """Return the fields of a job without its recipe, paths as text, as JSON keeps them."""
    if job is None:
        return None
    values = {entry.name: getattr(job, entry.name) for entry in fields(job) if entry.name != "recipe"}
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_text(one) for one in value]
    return str(value.absolute()) if isinstance(value, Path) else value


def _job(kind: str, recipe: Recipe, order: dict[str, Any]) -> TrainJob | SftJob:
    from clincot.stages.train.job import TrainJob
    from clincot.stages.train.sft import SftJob

    base, folder = Path(order["base"]), Path(order["folder"])
    if kind == "SftJob":
        return SftJob(recipe, Path(order["rows"]), base, order["base_repo"], folder)
    return TrainJob(
        recipe=recipe,
        round=order["round"],
        rows=tuple(map(Path, order["rows"])),
        base=base,
        base_repo=order["base_repo"],
        parent=Path(order["parent"]) if order["parent"] else None,
        folder=folder,
        stored_reference=order["stored_reference"],
        initial=Path(order["initial"]) if order["initial"] else None,
    )
