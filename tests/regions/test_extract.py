"""Eq. 1 against regions worked out by hand, and what must hold for any map and picture."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clincot import recipe, regions
from clincot.errors import ClincotError, RecipeError
from clincot.images import decode
from clincot.records import Box
from clincot.regions.base import HeatMap
from clincot.regions.extract import activation_map, find_region, padded_box

BARE = recipe.Regions(threshold=1.0, blur=0, smallest=0.0, padding=0.0, least_side=1, crop="box")


def heat(values, hypothesis: str = "nodule", confidence: float = 0.75) -> HeatMap:
    return HeatMap(hypothesis, np.asarray(values, np.float32), confidence)


def grey(width: int, height: int) -> Image.Image:
    return Image.fromarray((np.arange(width * height, dtype=np.uint32) % 200).reshape(height, width).astype(np.uint8))


def two_blobs() -> np.ndarray:
    values = np.zeros((20, 30), np.float32)
    values[2:4, 3:7] = 1.0  # 8 pixels, sum 8.0
    values[10:14, 20:26] = 0.5  # 24 pixels, sum 12.0
    return values


def test_the_component_with_the_largest_sum_wins_not_the_brightest():
    # mean 20/600 = .0333, std = sqrt(14/600 - .0333^2) = .1490: level .1824 keeps both blobs
    region = find_region(grey(30, 20).convert("RGB"), heat(two_blobs()), BARE)
    assert region.box == Box(20, 10, 26, 14)
    assert (region.hypothesis, region.confidence) == ("nodule", 0.75)
    assert np.array_equal(np.asarray(decode(region.crop)), np.asarray(grey(30, 20).convert("RGB"))[10:14, 20:26])


def test_a_higher_threshold_leaves_the_brightest():
    # level .0333 + 4 * .1490 = .6292 is above .5
    region = find_region(grey(30, 20).convert("RGB"), heat(two_blobs()), dataclasses.replace(BARE, threshold=4.0))
    assert region.box == Box(3, 2, 7, 4)


def test_small_components_do_not_count_and_none_may_be_left():
    values = two_blobs()
    values[2:4, 3:7] = 3.0  # now sum 24, twice the other, over 8 of 600 pixels
    picture = grey(30, 20).convert("RGB")
    low = dataclasses.replace(BARE, threshold=0.1)
    assert find_region(picture, heat(values), low).box == Box(3, 2, 7, 4)
    assert find_region(picture, heat(values), dataclasses.replace(low, smallest=0.02)).box == Box(20, 10, 26, 14)
    assert find_region(picture, heat(values), dataclasses.replace(low, smallest=0.05)) is None


def test_diagonal_neighbours_are_one_component():
    values = np.zeros((10, 10), np.float32)
    values[2, 2] = values[3, 3] = values[4, 4] = 1.0
    values[8, 0:2] = 1.0
    assert find_region(grey(10, 10).convert("RGB"), heat(values), BARE).box == Box(2, 2, 5, 5)


def test_of_equal_components_the_first_in_reading_order_wins():
    values = np.zeros((12, 12), np.float32)
    values[8:10, 1:3] = values[1:3, 8:10] = 1.0
    assert find_region(grey(12, 12).convert("RGB"), heat(values), BARE).box == Box(8, 1, 10, 3)


def test_a_masked_crop_is_white_outside_the_component():
    values = np.zeros((8, 8), np.float32)
    values[2, 2:5] = values[2:5, 2] = 1.0  # an L
    picture = Image.new("RGB", (8, 8), (10, 20, 30))
    region = find_region(picture, heat(values), dataclasses.replace(BARE, crop="masked"))
    pixels = np.asarray(decode(region.crop))
    kept = np.array([[1, 1, 1], [1, 0, 0], [1, 0, 0]], bool)
    assert region.box == Box(2, 2, 5, 5)
    assert (pixels[kept] == (10, 20, 30)).all()
    assert (pixels[~kept] == 255).all()


def test_the_box_is_padded_by_its_own_sides_then_widened_then_kept_inside():
    component = np.zeros((100, 200), bool)
    component[40:60, 50:90] = True
    assert padded_box(component, 0.1, 1) == Box(46, 38, 94, 62)
    assert padded_box(component, 0.0, 50) == Box(45, 25, 95, 75)
    assert padded_box(component, 0.0, 120) == Box(10, 0, 130, 100)
    corner = np.zeros((100, 200), bool)
    corner[95:, 190:] = True
    assert padded_box(corner, 0.5, 30) == Box(170, 70, 200, 100)


def test_upsampling_is_bilinear_between_cell_centres_and_scaled_to_one():
    activation = activation_map(np.array([[0.0, 2.0]], np.float32), (4, 2), 0)
    assert activation.tolist() == [[0.0, 0.25, 0.75, 1.0]] * 2


def test_the_blur_spreads_one_pixel_over_its_kernel():
    values = np.zeros((9, 9), np.float32)
    values[4, 4] = 1.0
    blurred = activation_map(values, (9, 9), 3)
    assert blurred[3:6, 3:6] == pytest.approx(np.outer([1, 2, 1], [1, 2, 1]) / 16, abs=1e-6)


def test_an_even_blur_is_refused():
    with pytest.raises(RecipeError, match="build.regions.blur: 14 is even"):
        find_region(grey(9, 9).convert("RGB"), heat(two_blobs()), dataclasses.replace(BARE, blur=14))


def test_a_constant_map_and_one_that_is_nowhere_finite_have_no_region():
    picture = grey(30, 20).convert("RGB")
    for value in (0.0, 0.3, 1.0, np.nan):
        assert find_region(picture, heat(np.full((14, 14), value)), recipe.Regions()) is None


def test_what_a_proposer_did_not_see_counts_as_lowest():
    values = two_blobs()
    values[:, :2] = np.nan
    assert find_region(grey(30, 20).convert("RGB"), heat(values), BARE).box == Box(20, 10, 26, 14)


def test_a_one_pixel_picture_has_no_where():
    assert find_region(Image.new("RGB", (1, 1)), heat(two_blobs()), recipe.Regions()) is None


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    seed=st.integers(0, 2**32 - 1),
    blur=st.sampled_from([0, 1, 3, 15]),
    least=st.integers(1, 400),
    padding=st.floats(0, 2),
    crop=st.sampled_from(["masked", "box"]),
)
def test_boxes_lie_inside_keep_the_least_side_and_match_their_crop(width, height, seed, blur, least, padding, crop):
    values = np.random.default_rng(seed).random((14, 14)).astype(np.float32)
    chosen = recipe.Regions(blur=blur, smallest=0.0, padding=padding, least_side=least, crop=crop)
    region = find_region(Image.new("RGB", (width, height)), heat(values), chosen)
    if region is None:
        assert min(width, height) < 3  # so thin that the map may be constant along it
        return
    left, upper, right, lower = region.box
    assert 0 <= left < right <= width
    assert 0 <= upper < lower <= height
    assert right - left >= min(least, width)
    assert lower - upper >= min(least, height)
    assert Image.open(io.BytesIO(region.crop)).size == (right - left, lower - upper)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), power=st.integers(-20, 20))
def test_the_scale_of_a_map_changes_nothing(seed, power):
    values = np.random.default_rng(seed).random((14, 14)).astype(np.float32)
    picture = grey(64, 48).convert("RGB")
    # Powers of two are exact in floating point; the map itself carries no unit.
    assert find_region(picture, heat(values * 2.0**power), BARE) == find_region(picture, heat(values), BARE)


def test_the_table_names_its_proposers_and_asks_for_a_kind():
    with pytest.raises(ClincotError, match="Did you mean 'query_grounder'"):
        regions.load("query_grouder", "folder")
    with pytest.raises(ClincotError, match="Known: query_grounder"):
        regions.load("", "folder")
