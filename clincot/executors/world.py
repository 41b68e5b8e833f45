"""The environment of a launcher (torchrun, accelerate launch) -> which of how many processes this one is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from clincot.errors import ClincotError


@dataclass(frozen=True)
class World:
    """Process `rank` of `size`; `local_rank` counts on its own machine."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    def refuse_company(self, command: str) -> None:
        """Raise ClincotError when `command`, which is for one process, runs in several; only training is for many."""
        if self.size > 1:
            raise ClincotError(
                f"{command}: runs in one process, not in {self.size}. Start it without torchrun; build-data, evaluate"
                " and run start processes themselves, with --workers N or --executor ray."
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
    return World(rank, size, local_rank)


def _odd(environment: Mapping[str, str]) -> ClincotError:
    said = " ".join(f"{name}={environment[name]!r}" for name in ("RANK", "WORLD_SIZE") if name in environment)
    return ClincotError(f"environment: {said} names no process. Use `torchrun` or `accelerate launch`, or unset both.")
