"""The environment of a launcher (torchrun, accelerate launch) -> which of how many processes this one is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from clincot.errors import ClincotError

# What torchrun says alike to every process of a launch; none of it is new for each launch, see launch.py.
NAMES = ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class World:
    """Process `rank` of `size`; `local_rank` counts on its own machine, `label` is shared by the launch's processes."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    label: str = ""

    def refuse_company(self, command: str) -> None:
        """Raise ClincotError when `command`, which is for one process, runs in several."""
        if self.size > 1:
            raise ClincotError(
                f"{command}: runs in one process, not in {self.size}."
                " Start it without torchrun; `clincot build-data` is what many processes share."
            )

    def take_gpu(self) -> None:
        """Make this process's share of the machine's GPUs its default device; without GPUs, do nothing."""
        if self.size == 1:
            return
        import torch

        if torch.cuda.is_available():
            torch.cuda.set_device(self.local_rank % torch.cuda.device_count())


ALONE = World()


def world_of(environment: Mapping[str, str] = os.environ) -> World:
    """Return the world that the launcher describes, a single process without one. Raises ClincotError for nonsense."""
    if "RANK" not in environment and "WORLD_SIZE" not in environment:
        return ALONE
    try:
        rank, size = int(environment["RANK"]), int(environment["WORLD_SIZE"])
        local_rank = int(environment.get("LOCAL_RANK", rank))
    except (KeyError, ValueError) as error:
        raise _odd(environment) from error
    if not 0 <= rank < size:
        raise _odd(environment)
    return World(rank, size, local_rank, "/".join(environment.get(name, "") for name in NAMES))


def _odd(environment: Mapping[str, str]) -> ClincotError:
    said = " ".join(f"{name}={environment[name]!r}" for name in ("RANK", "WORLD_SIZE") if name in environment)
    return ClincotError(f"environment: {said} names no process. Use `torchrun` or `accelerate launch`, or unset both.")
