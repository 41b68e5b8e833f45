"""Eq. 1 against regions worked out by hand, and what must hold for any map and image."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clincot import recipe
from clincot.errors import RecipeError
from clincot.images.views import render
from clincot.records import Box, Region, View
from clincot.regions.base import HeatMap
from clincot.regions.extract import above_level, activation_map, components, find_region, find_regions, padded_box

BARE = recipe.Regions(threshold=1.0, blur=0, smallest=0.0, padding=0.0, least_side=1, crop="box")


def heat(values, hypothesis: str = "nodule", confidence: float = 0.75) -> HeatMap:
    return HeatMap(hypothesis, np.asarray(values, np.float32), confidence)


def grey(width: int, height: int) -> Image.Image:
    return Image.fromarray((np.arange(width * height, dtype=np.uint32) % 200).reshape(height, width).astype(np.uint8))


def shown(picture: Image.Image, region: Region) -> Image.Image:
    return render(picture.convert("RGB"), View("crop", region))


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
    assert np.array_equal(
        np.asarray(shown(grey(30, 20), region)), np.asarray(grey(30, 20).convert("RGB"))[10:14, 20:26]
    )


def test_the_strongest_components_come_first_and_each_is_a_region_with_its_own_mask():
    picture = grey(30, 20).convert("RGB")
    several = dataclasses.replace(BARE, per_hypothesis=3, crop="masked", padding=1.0)
    strong, weak = find_regions(picture, heat(two_blobs()), several)
    assert (strong.box, weak.box) == (Box(14, 6, 30, 18), Box(0, 0, 11, 6))
    assert (strong.hypothesis, weak.hypothesis, strong.confidence) == ("nodule", "nodule", weak.confidence)
    cut = np.asarray(shown(picture, weak))
    assert (cut[2:4, 3:7] == np.asarray(picture)[2:4, 3:7]).all() and (cut != 255).any(axis=2).sum() == 8
    assert find_regions(picture, heat(two_blobs()), dataclasses.replace(several, per_hypothesis=1)) == (strong,)


def test_components_of_equal_sums_come_in_reading_order_and_one_in_the_box_of_another_is_left_out():
    values = np.zeros((12, 12), np.float32)
    values[8:10, 1:3] = values[1:3, 8:10] = values[1:3, 1:3] = 1.0
    picture = grey(12, 12).convert("RGB")
    several = dataclasses.replace(BARE, per_hypothesis=9)
    assert [one.box for one in find_regions(picture, heat(values), several)] == [
        Box(1, 1, 3, 3),
        Box(8, 1, 10, 3),
        Box(1, 8, 3, 10),
    ]
    whole = dataclasses.replace(several, least_side=12)  # all three boxes grow to the whole image
    assert [one.box for one in find_regions(picture, heat(values), whole)] == [Box(0, 0, 12, 12)]
    (strongest,) = find_regions(picture, heat(values), dataclasses.replace(whole, crop="masked"))
    assert strongest == find_region(picture, heat(values), dataclasses.replace(whole, crop="masked"))
    drawn = heat(values * 2)  # two values, a mask: its components are regions as well
    assert len(find_regions(picture, drawn, several)) == 3


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
    pixels = np.asarray(shown(picture, region))
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


def test_a_one_pixel_image_has_no_where():
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
    picture = Image.new("RGB", (width, height))
    region = find_region(picture, heat(values), chosen)
    if region is None:
        assert min(width, height) < 3  # so thin that the map may be constant along it
        return
    left, upper, right, lower = region.box
    assert 0 <= left < right <= width
    assert 0 <= upper < lower <= height
    assert right - left >= min(least, width)
    assert lower - upper >= min(least, height)
    assert shown(picture, region).size == (right - left, lower - upper)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), power=st.integers(-20, 20))
def test_the_scale_of_a_map_changes_nothing(seed, power):
    values = np.random.default_rng(seed).random((14, 14)).astype(np.float32)
    picture = grey(64, 48).convert("RGB")
    # Powers of two are exact in floating point; the map itself carries no unit.
    assert find_region(picture, heat(values * 2.0**power), BARE) == find_region(picture, heat(values), BARE)


QUANTILE = dataclasses.replace(BARE, rule="quantile")


def test_equation_1_on_a_map_small_enough_for_a_hand():
    """r_p = crop(M_p * x_v + (1 - M_p) * white), M_p the best component of 1[A_p >= mean + threshold * std]."""
    a_p = np.array(
        [
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 0.8, 0.6, 0.0],
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ],
        np.float32,
    )
    # mean = 2.4 / 16 = 0.15; std = sqrt((.64 + .36 + 1) / 16 - .15^2) = sqrt(.1025) = .3202; tau = .4702
    # 1[A_p >= .4702] holds {.8, .6}, side by side, and {1.0}, alone: sums 1.4 and 1.0, so M_p is the pair.
    m_p = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]], bool)
    x_v = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    masked = m_p[..., None] * x_v + (1 - m_p[..., None]) * 255
    box = Box(0, 0, 4, 3)  # M_p is two wide and one high: half of that on either side, then at least three pixels
    chosen = dataclasses.replace(BARE, padding=0.5, least_side=3, crop="masked")
    region = find_region(Image.fromarray(x_v), heat(a_p), chosen)
    assert region.box == box
    assert np.array_equal(np.asarray(shown(Image.fromarray(x_v), region)), masked[0:3, 0:4])


def test_the_quantile_keeps_the_share_of_the_map_that_it_says():
    values = np.arange(100, dtype=np.float32).reshape(10, 10)
    activation = values / 99
    kept = above_level(activation, dataclasses.replace(QUANTILE, quantile=0.9))
    assert kept.sum() == 10  # the 0.9-quantile of 0..99 lies at 89.1
    assert kept[9].all()
    picture = grey(10, 10).convert("RGB")
    assert find_region(picture, heat(values), dataclasses.replace(QUANTILE, quantile=0.9)).box == Box(0, 9, 10, 10)
    assert find_region(picture, heat(values), dataclasses.replace(QUANTILE, quantile=0.75)).box == Box(0, 7, 10, 10)


def test_a_quantile_at_the_floor_of_a_map_keeps_what_lies_above_it_not_everything():
    region = find_region(grey(30, 20).convert("RGB"), heat(two_blobs()), dataclasses.replace(QUANTILE, quantile=0.5))
    assert region.box == Box(20, 10, 26, 14)


def test_a_quantile_that_is_no_share_is_refused():
    with pytest.raises(RecipeError, match=r"build.regions.quantile: 90 is no share"):
        find_region(grey(30, 20).convert("RGB"), heat(two_blobs()), dataclasses.replace(QUANTILE, quantile=90))


def test_a_map_of_two_values_is_a_mask_and_taken_as_it_is():
    half = np.zeros((6, 6), np.float32)
    half[:, :4] = 1.0  # mean + std is more than 1 here
    tiny = np.zeros((40, 40), np.float32)
    tiny[7, 9] = 1.0  # less than the 1 % of the area that is noise elsewhere
    exact = dataclasses.replace(recipe.Regions(), padding=0.0, least_side=1)
    assert find_region(grey(60, 30).convert("RGB"), heat(half), exact).box == Box(0, 0, 40, 30)
    assert find_region(grey(40, 40).convert("RGB"), heat(tiny), exact).box == Box(9, 7, 10, 8)


def test_a_mask_finer_than_an_image_may_have_no_pixel_of_it():
    fine = np.zeros((9, 9), np.float32)
    fine[0, 0] = 1.0
    assert find_region(grey(3, 3).convert("RGB"), heat(fine), BARE) is None


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(8, 200),
    height=st.integers(8, 200),
    seed=st.integers(0, 2**32 - 1),
    rule=st.sampled_from(["mean_std", "quantile"]),
)
def test_a_masked_crop_is_the_image_inside_the_component_white_outside_and_the_same_again(width, height, seed, rule):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)  # 254 at most: white is outside alone
    values = rng.random((7, 7)).astype(np.float32)
    chosen = dataclasses.replace(BARE, rule=rule, blur=3, padding=0.2, least_side=5, crop="masked")
    region = find_region(Image.fromarray(pixels), heat(values), chosen)
    assert region == find_region(Image.fromarray(pixels), heat(values.copy()), chosen)
    boxed = find_region(Image.fromarray(pixels), heat(values), dataclasses.replace(chosen, crop="box"))
    cut, whole = (np.asarray(shown(Image.fromarray(pixels), one)) for one in (region, boxed))
    left, upper, right, lower = region.box
    assert region.box == boxed.box
    assert np.array_equal(whole, pixels[upper:lower, left:right])
    activation = activation_map(values, (width, height), 3)
    component = next(components(activation, above_level(activation, chosen), chosen.smallest))
    inside = component[upper:lower, left:right]
    assert inside.sum() == component.sum()
    assert np.array_equal(cut[inside], whole[inside])
    assert (cut[~inside] == 255).all()
