"""A run's own models take turns: parked as they are loaded, equal releases, nothing of a build left for training."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sealed_run import SealedRun

from clincot.hub import connect
from clincot.lm import parking
from clincot.lm.parking import Spot, weights_of
from clincot.recipe import Recipe
from clincot.runs.releases.content import own_pin
from clincot.runs.rounds import made
from clincot.runs.rounds.build import build_round
from clincot.runs.run import Run
from clincot.stages.sample.serving import Models


class OnDevice(Spot):
    """A spot on a device that the CPU stands in for; `most` models were there at the same time."""

    awake: set[int] = set()
    most = 0

    def __init__(self, weights: torch.nn.Module) -> None:
        super().__init__(weights, torch.device("cpu", 0))
        self._count()

    def park(self) -> None:
        self.awake.discard(id(self))

    def wake(self) -> None:
        self._count()

    def _count(self) -> None:
        self.awake.add(id(self))
        OnDevice.most = max(OnDevice.most, len(self.awake))


def taking_turns(recipe: Recipe) -> Recipe:
    return replace(recipe, models=replace(recipe.models, resident="one", shards_together=2))


@pytest.fixture
def again(sealed: SealedRun, tmp_path: Path) -> Iterator[Run]:
    """The finished run with its first round still to be built, in a folder of its own."""
    with connect(f"local:{tmp_path / 'store'}", main=False) as store:
        yield replace(sealed.run, folder=tmp_path / "run", store=store)


def test_a_round_is_built_by_one_model_at_a_time_with_the_content_of_all(
    again: Run, sealed: SealedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "spot_of", OnDevice)
    release = build_round(replace(again, recipe=taking_turns(again.recipe)), 1)
    assert OnDevice.most == 1
    assert release.lineage.facts["model_swaps"] > 0 and "model_swaps" not in sealed.build.lineage.facts
    assert release.lineage.inputs == sealed.build.lineage.inputs
    assert own_pin(again.store, release.pin).content == own_pin(sealed.run.store, sealed.build.pin).content


@pytest.mark.parametrize("resident", ["all", "one"])
def test_no_model_of_a_build_is_left_when_training_starts(
    resident: str, again: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[weakref.ref[torch.nn.Module]] = []
    load_models = made.load_models

    def watched(*asked: Any, **how: Any) -> Models:
        models = load_models(*asked, **how)
        every = (models.policy, models.proposer, *models.judges)
        loaded.extend(weakref.ref(weights) for model in every if (weights := weights_of(model)) is not None)
        return models

    monkeypatch.setattr(made, "load_models", watched)
    run = replace(again, recipe=taking_turns(again.recipe)) if resident == "one" else again
    build_round(run, 1)
    assert len(loaded) == 4 and not any(weights() for weights in loaded)
