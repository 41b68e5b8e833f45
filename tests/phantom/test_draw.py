"""The drawn world: deterministic pixels, findings where they are said to be, regions that tell nothing on their own."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from clincot.phantom.drawing.anatomy import SIZE
from clincot.phantom.drawing.draw import RANGES, draw, random_region, region_around, visible
from clincot.phantom.drawing.findings import FINDINGS
from clincot.records import Box


@pytest.fixture(scope="module")
def bank():
    return [draw(0, index) for index in range(120)]


def test_equal_seeds_give_equal_pixels_and_others_do_not():
    first, again, other = draw(3, 7), draw(3, 7), draw(3, 8)
    assert np.array_equal(first.image, again.image)
    assert first.names == again.names and first.decoys == again.decoys
    assert not np.array_equal(first.image, other.image)


def test_an_image_is_grey_256_pixels(bank):
    assert all(p.image.shape == (SIZE, SIZE) and p.image.dtype == np.uint8 for p in bank)
    assert all(p.image.std() > 20 for p in bank)


def test_one_image_in_four_is_normal_and_one_in_four_has_two_findings(bank):
    counts = Counter(len(p.findings) for p in bank)
    assert set(counts) == {0, 1, 2}
    assert 0.15 < counts[0] / len(bank) < 0.35 and 0.15 < counts[2] / len(bank) < 0.35
    assert {name for p in bank for name in p.names} == set(FINDINGS)


def test_boxes_bound_their_masks(bank):
    for finding in (f for p in bank for f in p.findings):
        rows, columns = np.nonzero(finding.mask)
        assert finding.box == Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_the_patients_left_is_on_the_right_of_the_image(bank):
    for finding in (f for p in bank for f in p.findings if f.side):
        middle = (finding.box.left + finding.box.right) / 2
        assert (middle > SIZE / 2) == (finding.side == "left")


def test_fluid_stays_low_and_air_rises(bank):
    zones = {f.name: f.zone for p in bank for f in p.findings}
    assert (zones["effusion"], zones["pneumothorax"], zones["cardiomegaly"]) == ("lower", "upper", "")


def test_a_nodule_is_brighter_than_its_surroundings(bank):
    contrasts = []
    for phantom in bank:
        for finding in (f for f in phantom.findings if f.name == "nodule"):
            left, upper, right, lower = finding.box
            ring = np.zeros_like(finding.mask)
            ring[upper - 8 : lower + 8, left - 8 : right + 8] = True
            ring &= ~finding.mask
            contrasts.append(float(phantom.image[finding.mask].mean()) - float(phantom.image[ring].mean()))
    assert len(contrasts) > 10 and np.mean(contrasts) > 15


def test_absent_findings_have_a_decoy_of_the_same_size_law(bank):
    for phantom in bank:
        assert set(phantom.decoys) == set(FINDINGS) - set(phantom.names)
    real = [f.box.right - f.box.left for p in bank for f in p.findings if f.name == "nodule"]
    decoys = [p.decoys["nodule"].right - p.decoys["nodule"].left for p in bank if "nodule" in p.decoys]
    assert abs(np.mean(real) - np.mean(decoys)) < 2


def test_a_region_around_a_finding_shows_it_and_lies_in_the_image(bank):
    rng = np.random.default_rng(0)
    seen = []
    for phantom in bank:
        for finding in phantom.findings:
            box = region_around(finding.box, rng)
            assert 0 <= box.left < box.right <= SIZE and 64 <= box.right - box.left == box.lower - box.upper <= 160
            seen.append(finding.name in visible(phantom, box))
    assert np.mean(seen) > 0.97


def test_a_small_region_elsewhere_does_not_show_a_nodule(bank):
    phantom = next(p for p in bank if p.names == ("nodule",))
    finding = phantom.findings[0]
    corner = Box(0, 0, 64, 64) if finding.box.left > 128 else Box(192, 0, 256, 64)
    assert visible(phantom, finding.box) == ("nodule",) and visible(phantom, corner) == ()


def test_random_regions_follow_the_sizes_of_the_boxes_they_are_given():
    rng = np.random.default_rng(0)
    small = random_region([Box(0, 0, 10, 10)], rng)
    large = random_region([Box(0, 0, 120, 120)], rng)
    assert small.right - small.left == 64 and large.right - large.left > 120


def test_the_ranges_of_the_splits_do_not_meet():
    starts = sorted(RANGES.values())
    assert all(after - before >= 1_000_000 for before, after in zip(starts, starts[1:], strict=False))
