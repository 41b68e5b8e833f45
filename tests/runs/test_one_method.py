"""A run is of one method: rounds of another are neither trained nor continued under its name."""

from __future__ import annotations

import dataclasses

import pytest
from sealed_run import SealedRun, sealed_recipe, small_recipe

from clincot.errors import RecipeError
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.train import train_round

OTHER = ("train.conditioning=per_side", "train.margin.kind=none")


@pytest.mark.parametrize("step", [train_round, lambda run, round_: build_round(run, round_ + 1)])
def test_a_round_of_another_method_is_refused(sealed: SealedRun, step: object) -> None:
    run = dataclasses.replace(sealed.run, recipe=small_recipe("povid", *OTHER))
    with pytest.raises(RecipeError, match="its round 1 is of method clincot, and the recipe's method is povid. Give"):
        step(run, 1)  # type: ignore[operator]


def test_another_loss_on_the_same_pairs_is_not(sealed: SealedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes of ClinCoT's ablations train on its pairs: the refusal is for methods alone."""
    stopped = RuntimeError("past the checks")

    def stop(*given: object, **named: object) -> None:
        raise stopped

    monkeypatch.setattr("clincot.runs.rounds.train.train_distributed", stop)
    run = dataclasses.replace(sealed.run, recipe=sealed_recipe("train.margin.kind=none"))
    with pytest.raises(RuntimeError, match="past the checks"):
        train_round(run, 1, new_version=True)
