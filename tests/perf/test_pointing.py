"""The pointing game's own arithmetic by hand, and its ceiling and floor on a few phantoms."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clincot import recipe, regions
from clincot.records import Box
from clincot.regions.base import HeatMap, Subject
from perf.pointing import area, iou, looks, points_into, shared, subjects_of, table


def test_overlap_by_hand() -> None:
    one, other = Box(0, 0, 4, 2), Box(2, 1, 6, 3)
    assert (area(one), shared(one, other), iou(one, other)) == (8, 2, 2 / 14)
    assert shared(one, Box(4, 0, 6, 2)) == 0  # half-open: they touch and share no pixel


def test_a_map_points_at_the_middle_of_its_highest_cells_and_a_flat_one_nowhere() -> None:
    subject = Subject("a", Image.new("L", (40, 40)))
    values = np.zeros((4, 4), np.float32)
    values[1, 2:4] = 1.0  # the middle lies at (30, 15)
    assert points_into(HeatMap("nodule", values, 1.0), subject, Box(30, 15, 31, 16))
    assert not points_into(HeatMap("nodule", values, 1.0), subject, Box(20, 10, 30, 20))
    assert not points_into(HeatMap("nodule", np.ones((4, 4), np.float32), 1.0), subject, Box(0, 0, 40, 40))


def test_the_annotated_truth_is_the_ceiling_and_every_shown_finding_is_asked_for() -> None:
    settings = recipe.load_recipe("clincot", "phantom").build.regions
    subjects = subjects_of(6)
    results = {kind: looks(regions.load(kind), subjects, settings) for kind in ("annotated", "center")}
    truth = results["annotated"]
    assert len(truth) == sum(len(subject.true_regions) for subject in subjects) > 0
    assert all(look.hit and look.overlap == pytest.approx(1) and look.held == 1 for look in truth)
    assert sum(look.overlap for look in results["center"]) < sum(look.overlap for look in truth)
    assert table(results).splitlines()[2].startswith(f"| annotated | {len(truth)} | 1.000")
