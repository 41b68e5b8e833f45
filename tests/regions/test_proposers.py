"""The table of proposers: what loads, from what, and what every kind without a model keeps to."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clincot import recipe, regions
from clincot.errors import ClincotError, ModelError
from clincot.records import Box, TrueRegion
from clincot.regions.base import HeatMap, Subject

PICTURES = [Image.effect_noise(size, 40).convert("RGB") for size in ((90, 60), (40, 200), (1, 1))]
SUBJECTS = [Subject(f"study-{n}", p, (TrueRegion("nodule", Box(0, 0, 1, 1)),)) for n, p in enumerate(PICTURES)]


def test_the_table_names_its_proposers_and_asks_for_a_kind():
    with pytest.raises(ClincotError, match="Did you mean 'query_grounder'"):
        regions.load("query_grouder", "folder")
    with pytest.raises(ClincotError, match=r"Known: annotated, center.*query_grounder, random"):
        regions.load("", "folder")


def test_a_model_without_a_folder_is_refused_and_the_others_need_none():
    with pytest.raises(ModelError, match=r"models.proposer.repo: query_grounder is a model"):
        regions.load("query_grounder")
    assert set(regions.PROPOSERS) > regions.MODEL_FREE


@pytest.mark.parametrize("kind", sorted(regions.MODEL_FREE))
def test_kinds_without_a_model_answer_in_order_alike_and_with_a_key(kind: str, tmp_path):
    proposer = regions.load(kind)
    wanted = [["nodule", "effusion"], [], ["nodule"]]
    found = proposer.heat_maps(SUBJECTS, wanted)
    assert (proposer.name, proposer.known) == (kind, None)
    assert [[one.hypothesis for one in maps] for maps in found] == wanted
    assert all(m.values.dtype == np.float32 and 0 <= m.confidence <= 1 for maps in found for m in maps)
    again = regions.load(kind, tmp_path).heat_maps(SUBJECTS, wanted)
    assert all(
        np.array_equal(a.values, b.values) for x, y in zip(found, again, strict=True) for a, b in zip(x, y, strict=True)
    )
    assert proposer.key and regions.load(kind, key="sha-1").key == "sha-1"


@pytest.mark.parametrize("kind", sorted(regions.MODEL_FREE - {"annotated"}))
def test_the_controls_do_not_look(kind: str):
    """Neither pixels nor the truth may change a floor."""
    proposer = regions.load(kind)
    blind = Subject("study-0", Image.new("RGB", (90, 60)))
    seen, unseen = (proposer.heat_maps([s], [["nodule"]])[0][0] for s in (SUBJECTS[0], blind))
    assert np.array_equal(seen.values, unseen.values)


@pytest.fixture(scope="module")
def pointing():
    path = Path(__file__).parents[2] / "perf" / "pointing.py"
    spec = importlib.util.spec_from_file_location("pointing", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["pointing"] = module  # where dataclasses look up the names of its annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules["pointing"]


def test_the_truth_points_best_the_grounder_next_and_what_does_not_look_last(pointing):
    subjects = pointing.subjects_of(40)
    settings = recipe.load_recipe("clincot", "phantom").build.regions
    found = {
        kind: pointing.looks(
            regions.load(kind, None if kind in regions.MODEL_FREE else pointing.GROUNDER), subjects, settings
        )
        for kind in pointing.KINDS
    }
    hits = {kind: np.mean([look.hit for look in looks]) for kind, looks in found.items()}
    overlaps = {kind: np.mean([look.overlap for look in looks]) for kind, looks in found.items()}
    floors = {kind: hits[kind] for kind in ("center", "grid", "random")}
    assert len(found["annotated"]) >= 30
    assert (hits["annotated"], overlaps["annotated"]) == (1.0, 1.0)
    assert hits["annotated"] >= hits["query_grounder"] > max(floors.values()) + 0.3
    assert overlaps["query_grounder"] > max(overlaps[kind] for kind in floors) + 0.1
    assert all(look.held == 1.0 for look in found["annotated"])
    assert "| annotated |" in pointing.table(found)


def test_overlap_and_pointing_are_what_they_are_by_hand(pointing):
    assert pointing.iou(Box(0, 0, 4, 4), Box(2, 2, 6, 6)) == 4 / 28
    assert pointing.iou(Box(0, 0, 2, 2), Box(2, 0, 4, 2)) == 0
    values = np.zeros((4, 4), np.float32)
    values[1, 2] = 1.0  # its centre lies at (62.5 %, 37.5 %): pixel (56.25, 22.5) of 90 x 60
    heat_map = HeatMap("nodule", values, 1.0)
    assert pointing.points_into(heat_map, SUBJECTS[0], Box(56, 22, 57, 23))
    assert not pointing.points_into(heat_map, SUBJECTS[0], Box(57, 22, 90, 60))
    assert not pointing.points_into(HeatMap("nodule", np.ones((4, 4), np.float32), 1.0), SUBJECTS[0], Box(0, 0, 90, 60))
