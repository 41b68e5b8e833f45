"""Loaded models and the devices that they compute on -> one of them on its device at a time, the others in CPU memory.

For a GPU that holds each model of a build and not all of them (`models.resident: one`). Moving keeps every bit, so
results are equal. Tested with recorded moves on a CPU; it has not run on a GPU.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch

from clincot.errors import ModelError

CPU = torch.device("cpu")
M = TypeVar("M")
INSTEAD = "Set models.resident: all, or load the model in another way (models.ROLE.load)."


class Movable(Protocol):
    """A model whose `weights` must be on their device while it computes; None where it computes elsewhere."""

    @property
    def weights(self) -> torch.nn.Module | None: ...


class Spot:
    """The weights of one model and their place: `home` is the device that they were loaded to."""

    def __init__(self, weights: torch.nn.Module, home: torch.device) -> None:
        self.weights = weights
        self.home = home

    def park(self) -> None:
        """Move the weights to CPU memory, and give the memory of their device back to others."""
        self.weights.to(CPU)
        release(self.home)

    def wake(self) -> None:
        """Move the weights to their device."""
        self.weights.to(self.home)


def spot_of(weights: torch.nn.Module) -> Spot | None:
    """Return what moves the weights; None for those at home in CPU memory, which take nobody's place."""
    home = next(weights.parameters()).device
    return None if home.type == CPU.type else Spot(weights, home)


class Parking:
    """Models that take turns on their devices; `swaps` counts how often one was moved to its device."""

    def __init__(self, spot: Callable[[torch.nn.Module], Spot | None] | None = None) -> None:
        self.swaps = 0
        self._spot_of = spot or spot_of
        self._spots: dict[torch.nn.Module, Spot] = {}
        self._awake: dict[torch.device, Spot] = {}

    def add(self, model: M, role: str) -> M:
        """Park a model that was just loaded, and return it; what has no weights here (a server, rules) is left alone.

        Raises ModelError for weights that cannot be moved.
        """
        weights = weights_of(model)
        if weights is None or weights in self._spots:
            return model
        refuse_immovable(weights, role)
        spot = self._spot_of(weights)
        if spot is not None:
            self._spots[weights] = spot
            spot.park()
        return model

    def is_ready(self, model: Any) -> bool:
        """Return whether `model` can compute without a move."""
        spot = self._spot(model)
        return spot is None or self._awake.get(spot.home) is spot

    def wake(self, model: Any) -> None:
        """Move `model` to its device, after the one that is there was parked."""
        spot = self._spot(model)
        if spot is None or self._awake.get(spot.home) is spot:
            return
        before = self._awake.pop(spot.home, None)
        if before is not None:
            before.park()
        spot.wake()
        self._awake[spot.home] = spot
        self.swaps += 1

    def _spot(self, model: Any) -> Spot | None:
        weights = weights_of(model)
        return None if weights is None else self._spots.get(weights)


def weights_of(model: Any) -> torch.nn.Module | None:
    """Return the weights with which `model` computes in this process (`Movable`); None for a server or a rule."""
    weights = getattr(model, "weights", None)
    return weights if isinstance(weights, torch.nn.Module) else None


def refuse_immovable(weights: Any, role: str) -> None:
    """Raise ModelError for quantised weights and for those that Accelerate put on several devices."""
    if getattr(weights, "is_quantized", False) or getattr(weights, "hf_quantizer", None) is not None:
        raise ModelError(
            f"models.resident: one: the weights of the {role} are quantised, and cannot be moved to CPU memory and back"
            f" without a change. {INSTEAD}"
        )
    if len(set(getattr(weights, "hf_device_map", {}).values())) > 1:
        raise ModelError(
            f"models.resident: one: the weights of the {role} are on several devices already, by its device_map."
            f" {INSTEAD}"
        )


def release(device: torch.device) -> None:
    """Give memory that torch holds of `device` but does not use back to it."""
    if device.type != CPU.type:
        getattr(torch, device.type).empty_cache()


def release_unused() -> None:
    """Give memory of the GPU back that models took who are not in use any more, those in reference cycles too."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
