"""`perf/dpo_step.py`: operations of each layout at 7B against their targets, equal losses and gradients."""

from __future__ import annotations

import dataclasses

import pytest

from perf.dpo_counting import SEVEN_B, count_all, default_recipe
from perf.dpo_step import AT_EQUAL_CHECKPOINTING, DEFAULT_RECIPE, STOCK, TARGETS, equal_checkpointing, ratios
from perf.dpo_trainers import SMALL, measure_all


@pytest.mark.long
def test_stock_reads_the_reference_in_every_step_and_ours_does_not():
    one, two = (count_all(dataclasses.replace(SEVEN_B, layers=layers, vision_layers=2)) for layers in (1, 2))
    layer = {name: two[name].plain - one[name].plain for name in one}
    # Forward and backward through frozen weights with LoRA cost 2.07 forward passes, the reference one more.
    assert layer[STOCK] / layer["pair, stored reference"] == pytest.approx(3.07 / 2.07, rel=0.02)


@pytest.mark.long
def test_at_7b_every_layout_stays_below_its_share_of_stock():
    counts = count_all(SEVEN_B)
    found = ratios(counts)
    for name, target in TARGETS.items():
        assert found[name] <= target, name
    assert equal_checkpointing(counts) <= AT_EQUAL_CHECKPOINTING
    assert default_recipe(SEVEN_B, counts)[0] / counts[STOCK].checkpointed <= DEFAULT_RECIPE


@pytest.mark.long
def test_the_real_trainers_agree_in_loss_and_gradient(tmp_path):
    for name, timing in measure_all(SMALL, tmp_path, 1).items():
        assert timing.loss_error < 1e-5 and timing.gradient_error < 1e-4, name
        assert timing.seconds > 0
