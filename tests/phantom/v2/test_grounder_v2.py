"""The grounder of version 2: what its map is trained on, what its regions hold, and a training from scratch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import clincot
from clincot.phantom.v2.grounder.figures import SETTINGS, Found, find, grounder_gates
from clincot.phantom.v2.grounder.plan import GrounderPlan
from clincot.phantom.v2.grounder.pretrain import map_targets, pretrain_grounder
from clincot.phantom.v2.objects import objects
from clincot.records import Box
from clincot.regions.base import HeatMap, Subject
from clincot.regions.query_grounder import QueryGrounder

MODELS = Path(clincot.__file__).parent / "phantom" / "models" / "v2"


class Truth:
    """A proposer that marks every object with a bump of the same width; `bright`: how high a nodule's is."""

    known = ("nodule",)
    name = key = "truth"

    def __init__(self, bright: float = 1.0) -> None:
        self.bright = bright

    def heat_maps(self, subjects: list[Subject], wanted: list[list[str]]) -> list[list[HeatMap]]:
        return [[HeatMap("nodule", self._map(int(subject.image_id)), 0.5)] for subject in subjects]

    def _map(self, index: int) -> np.ndarray:
        things = objects(0, index).things
        centres = torch.tensor([[thing.centre for thing in things]]) / 256
        weights = torch.tensor([[self.bright if thing.lesion else 1.0 for thing in things]])
        return map_targets(centres, weights, 32)[0, 0].numpy()


def test_every_object_gets_an_equal_bump_and_an_empty_place_none():
    centres, weights = torch.tensor([[[0.25, 0.5], [0.75, 0.5], [0.0, 0.0]]]), torch.tensor([[1.0, 1.0, 0.0]])
    target = map_targets(centres, weights, 32)[0, 0]
    assert target[:, :16].sum() == pytest.approx(float(target[:, 16:].sum()))
    rows, columns = np.nonzero(target.numpy())
    assert (rows.min(), rows.max()) == (14, 17) and (columns.min(), columns.max()) == (6, 25)


def test_six_components_of_one_map_are_regions_of_crop_size():
    found = find(Truth(), 0, range(30))
    lesions = sum(len(one.layout.lesions) for one in found)
    assert sum(one.held(one.layout.lesions, 6) for one in found) >= 0.9 * lesions
    assert max(len(one.boxes) for one in found) == 6
    assert all(64 <= box.right - box.left <= 96 for one in found for box in one.boxes)
    assert SETTINGS.smallest * 256 * 256 < 66


def test_a_grounder_that_knows_nodules_breaks_the_gate_of_the_first_region():
    equal, knows = grounder_gates(Truth(), 0, 40)[1], grounder_gates(Truth(bright=2.0), 0, 40)[1]
    assert knows.value > 0.9 and not knows.holds and equal.value < knows.value


def test_a_region_too_large_for_the_policy_holds_nothing():
    layout = next(objects(0, index) for index in range(9) if objects(0, index).lesions)
    x, y = (int(value) for value in layout.lesions[0].centre)
    wide, near = Box(0, 0, 256, 256), Box(x - 30, y - 30, x + 34, y + 34)
    assert Found(layout, (wide,)).held(layout.lesions[:1], 6) == 0
    assert Found(layout, (wide, near)).held(layout.lesions[:1], 6) == 1
    assert Found(layout, (wide, near)).held(layout.lesions[:1], 1) == 0


def test_training_writes_a_loadable_grounder_and_a_card_with_its_figures(tmp_path):
    plan = GrounderPlan(images=8, held_out=4, epochs=1, batch=4, stem=8, stages=(8, 8, 8), width=16)
    gates = pretrain_grounder(tmp_path, seed=7, report=lambda line: None, plan=plan)
    assert gates[0].name in (tmp_path / "README.md").read_text(encoding="utf-8")
    loaded = QueryGrounder.from_pretrained(tmp_path)
    assert loaded.known == ("nodule",) and grounder_gates(loaded, 7, 4) == gates


@pytest.mark.parametrize("name", ["grounder", "grounder-worse"])
def test_the_shipped_grounders_are_small_and_find_objects(name):
    grounder = QueryGrounder.from_pretrained(MODELS / name)
    found = find(grounder, 77, range(16))
    things = sum(len(one.layout.things) for one in found)
    assert sum(one.held(one.layout.things, 6) for one in found) > (0.7 if name == "grounder" else 0.3) * things
    assert (MODELS / name / "model.safetensors").stat().st_size < 1_500_000
