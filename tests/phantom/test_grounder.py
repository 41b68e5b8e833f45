"""The training of the phantom's grounder, and the weights that are shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import clincot
from clincot.phantom.drawing.draw import draw, visible
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.grounder.figures import auc, evaluate_maps, grounder_figures, wilson
from clincot.phantom.grounder.pretrain import GrounderPlan, box_targets, drawn_set, pretrain_grounder
from clincot.recipe import Regions
from clincot.regions.base import Subject
from clincot.regions.extract import find_region
from clincot.regions.query_grounder import QueryGrounder

MODELS = Path(clincot.__file__).parent / "phantom" / "models"
SEED = 77  # a world that no model was trained in


@pytest.fixture(scope="module")
def shipped():
    return QueryGrounder.from_pretrained(MODELS / "grounder")


@pytest.fixture(scope="module")
def fresh(shipped):
    return drawn_set(SEED, "held_out", 40, shipped.model.config)


def test_the_target_of_a_box_peaks_at_its_centre_and_is_zero_outside():
    boxes, names = torch.tensor([[[0.25, 0.5, 0.5, 0.75], [0, 0, 0, 0]]]), torch.tensor([[1, -1]])
    target = box_targets(boxes, names, grid=32)[0]
    assert target.flatten(1).amax(1).gt(0).tolist() == [False, True, False, False, False]
    rows, columns = np.nonzero(target[1].numpy())
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (16, 23, 8, 15)
    assert target[1, 19:21, 11:13].min() == target[1].max()


def test_the_target_of_a_small_box_covers_more_than_one_percent_of_the_image():
    boxes, names = torch.tensor([[[0.48, 0.48, 0.52, 0.52]] * 2]), torch.tensor([[0, -1]])
    target = box_targets(boxes, names, grid=32)[0, 0]
    assert (target > 0.1 * target.max()).float().mean() > 0.01


def test_most_shipped_maps_of_nodules_give_a_region_that_holds_the_nodule(shipped):
    phantoms = [p for p in (draw(SEED, index) for index in range(60)) if "nodule" in p.names]
    pictures = [Image.fromarray(phantom.image).convert("RGB") for phantom in phantoms]
    subjects = [Subject(str(i), picture) for i, picture in enumerate(pictures)]
    maps = shipped.heat_maps(subjects, [["nodule"]] * len(phantoms))
    settings = Regions(least_side=64, crop="box")
    regions = [find_region(picture, one[0], settings) for picture, one in zip(pictures, maps, strict=True)]
    held = [r is not None and "nodule" in visible(p, r.box) for p, r in zip(phantoms, regions, strict=True)]
    assert np.mean(held) > 0.6


def test_auc_counts_ordered_pairs_and_half_of_the_ties():
    scores, positive = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True])
    assert auc(scores, positive) == pytest.approx((2 + 1.5) / 4)


def test_wilson_agrees_with_a_value_computed_by_hand():
    assert wilson(8, 10) == pytest.approx((0.8, 0.49016, 0.94332), abs=1e-4)


def test_the_shipped_grounder_points_far_better_than_chance(shipped, fresh):
    present = fresh.present().bool()
    _, hits = evaluate_maps(shipped.model, fresh.pixels, fresh.boxes, fresh.names)
    # Even the largest boxes, of hearts, hold less than a third of the image: chance is below 0.2 on average.
    assert hits[present].float().mean() > 0.7


def test_the_shipped_grounder_knows_what_is_there(shipped, fresh):
    logits, _ = evaluate_maps(shipped.model, fresh.pixels, fresh.boxes, fresh.names)
    assert auc(logits.flatten().numpy(), fresh.present().flatten().numpy() > 0) > 0.85


def test_the_shipped_grounder_is_small_and_knows_the_findings(shipped):
    assert shipped.known == FINDINGS
    assert (MODELS / "grounder" / "model.safetensors").stat().st_size < 3_500_000


def test_training_writes_a_loadable_grounder_and_a_card_with_its_figures(tmp_path):
    plan = GrounderPlan(images=24, held_out=12, epochs=1, batch=12)
    said: list[str] = []
    figures = pretrain_grounder(tmp_path, seed=SEED, report=said.append, plan=plan)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert set(figures) == set(FINDINGS)
    assert "clincot phantom pretrain --only grounder" in card
    loaded = QueryGrounder.from_pretrained(tmp_path).model
    held_out = drawn_set(SEED, "held_out", 12, loaded.config)
    again = grounder_figures(loaded, held_out.pixels, held_out.boxes, held_out.names, held_out.present())
    assert again["nodule"]["auc"] == pytest.approx(figures["nodule"]["auc"], abs=1e-6)
    assert any("step 2/2" in line for line in said)
