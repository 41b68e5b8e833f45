"""The policy of version 2: places of patches, reports of both kinds, a short training, and the card."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.policy.network import load_policy
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.gates.policy import PolicyFigures, policy_card
from clincot.phantom.v2.objects import objects
from clincot.phantom.v2.policy.looks import around
from clincot.phantom.v2.policy.pretrain import PolicyPlan, pretrain_policy
from clincot.phantom.v2.policy.rows import rows
from clincot.phantom.v2.policy.vision import CELLS, patch_places
from clincot.phantom.v2.texts.statements import read, shown, statement_of
from clincot.phantom.v2.texts.told import all_told
from clincot.records import Box


def test_the_patches_about_an_object_lie_on_its_side_and_in_its_zone() -> None:
    for layout in (objects(0, index) for index in range(20)):
        for thing in layout.things:
            left, upper = (int(value) - 32 for value in thing.centre)
            places = patch_places(layout, Box(left, upper, left + 64, upper + 64)).reshape(CELLS, CELLS)
            assert SIDES.index(thing.side) * len(ZONES) + ZONES.index(thing.zone) in places[2:4, 2:4]


def test_careful_reports_say_what_a_crop_shows_and_careless_ones_often_do_not() -> None:
    def share_right(**how: object) -> float:
        rng, right = np.random.default_rng(0), []
        for layout in (objects(0, index) for index in range(60)):
            crop = around(layout.things[0], rng)
            true = statement_of(shown(layout.lesions, crop))
            said = [read(row.completion) for row in rows(layout, crop, rng, **how) if "one sentence" in str(row)]
            right += [statement == true for statement in said]
        return float(np.mean(right))

    assert share_right(tell=all_told) == 1.0
    assert 0.4 < share_right() < 0.8


def test_a_short_training_is_reproducible(tmp_path: Path) -> None:
    plan = PolicyPlan(images=12, vision_steps=2, careful_steps=2, careless_steps=1)
    for name in ("one", "two"):
        pretrain_policy(tmp_path / name, 0, lambda line: None, plan)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two
    load_policy(tmp_path / "one")


def test_the_card_shows_the_gates_and_the_fault() -> None:
    looks = {look: {"count": value} for look, value in (("none", 20.0), ("random", 21.0), ("oracle", 60.0))}
    card = policy_card(PolicyFigures(looks, {"evidence AUC": 0.9}, (Gate("g", 1.0, 2.0),)), 0, 12.0)
    assert "| count | 20.0 | 21.0 | 60.0 |" in card and "| **no** |" in card and "40 %" in card
