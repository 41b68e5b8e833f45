"""One model of each device is on it at a time; each move is recorded by a device that the CPU stands in for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from clincot.errors import ModelError
from clincot.lm.parking import Parking, Spot, spot_of


class Model:
    def __init__(self, name: str) -> None:
        self.name = name
        self.weights = torch.nn.Linear(2, 2)


class Yard:
    """A Parking whose spots record their moves; a model is at home on the device whose number `homes` has."""

    def __init__(self, *models: Model, homes: dict[str, int] | None = None) -> None:
        self.moves: list[str] = []
        self.models = {model.weights: model for model in models}
        self.homes = homes or {}
        self.parking = Parking(self._spot)
        for model in models:
            assert self.parking.add(model, model.name) is model
        self.moves.clear()

    def _spot(self, weights: torch.nn.Module) -> Spot:
        yard, name = self, self.models[weights].name

        class Recorded(Spot):
            def park(self) -> None:
                yard.moves.append(f"park {name}")
                super().park()

            def wake(self) -> None:
                yard.moves.append(f"wake {name}")
                super().wake()

        return Recorded(weights, torch.device("cpu", self.homes.get(name, 0)))


def test_the_model_on_the_device_leaves_before_the_next_comes() -> None:
    a, b = Model("a"), Model("b")
    yard = Yard(a, b)
    before = [p.clone() for p in a.weights.parameters()]
    for model in (a, a, b, b, a):
        assert yard.parking.is_ready(model) == (model.name == (yard.moves or [" "])[-1][-1])
        yard.parking.wake(model)
    assert yard.moves == ["wake a", "park a", "wake b", "park b", "wake a"]
    assert yard.parking.swaps == 3
    assert all(torch.equal(x, y) for x, y in zip(before, a.weights.parameters(), strict=True))


def test_models_of_other_devices_do_not_meet() -> None:
    a, b = Model("a"), Model("b")
    yard = Yard(a, b, homes={"b": 1})
    for model in (a, b, a, b):
        yard.parking.wake(model)
    assert yard.moves == ["wake a", "wake b"] and yard.parking.swaps == 2


def test_weights_are_parked_as_soon_as_they_are_added_and_once() -> None:
    a = Model("a")
    yard = Yard()
    yard.models[a.weights] = a
    for _ in range(2):  # the policy, and the judge that it is too
        yard.parking.add(a, "policy")
    assert yard.moves == ["park a"]


def test_what_needs_no_device_is_always_ready() -> None:
    parking = Parking()
    home, served, rule = Model("at home in CPU memory"), SimpleNamespace(weights=None), object()
    for model in (home, served, rule):
        parking.add(model, "model")
        assert parking.is_ready(model)
        parking.wake(model)
    assert parking.swaps == 0 and spot_of(home.weights) is None


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("is_quantized", True, "judge a/b are quantised"),
        ("hf_quantizer", object(), "judge a/b are quantised"),
        ("hf_device_map", {"lower": 0, "upper": 1}, "judge a/b are on several devices"),
    ],
)
def test_weights_that_cannot_be_moved_are_refused(attribute: str, value: object, reason: str) -> None:
    model = Model("a")
    setattr(model.weights, attribute, value)
    with pytest.raises(ModelError, match=reason):
        Parking().add(model, "judge a/b")


def test_accelerates_map_of_one_device_is_no_obstacle() -> None:
    model = Model("a")
    model.weights.hf_device_map = {"": 0}  # type: ignore[assignment]
    assert Parking().add(model, "policy") is model
