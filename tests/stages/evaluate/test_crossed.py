"""Crossed intervals: sums whose draws are known by hand, ties between seeds, images about which nothing is counted."""

from __future__ import annotations

import numpy as np
import pytest

from clincot.metrics.base import ratio
from clincot.stages.evaluate.crossed import Crossed
from clincot.stages.evaluate.results import Resampling

IMAGES = [f"image-{i}" for i in range(40)]


def share(right: float) -> np.ndarray:
    """Every image has ten questions of which the same share is right: nothing differs between images."""
    return np.array([[10 * right, 10.0]] * len(IMAGES))


def mixed(right: int) -> np.ndarray:
    """One question an image, right for the first `right` images."""
    return np.array([[float(i < right), 1.0] for i in range(len(IMAGES))])


def test_images_that_agree_leave_the_spread_of_the_seeds_alone() -> None:
    found = Crossed.of(IMAGES, 2000).score({0: share(0.4), 1: share(0.6)}, ratio)
    assert found is not None
    # Two seeds: both drawn as .4 in a quarter of the resamples, as .6 in another, else one of each.
    assert found.value == pytest.approx(0.5) and found.interval() == pytest.approx((0.4, 0.6))
    parts = [np.isclose(found.draws, value).mean() for value in (0.4, 0.5, 0.6)]
    assert parts == pytest.approx([0.25, 0.5, 0.25], abs=0.04) and sum(parts) == pytest.approx(1)


def test_one_seed_has_the_interval_over_images_alone_and_equal_seeds_add_nothing() -> None:
    crossed = Crossed.of(IMAGES, 500, 3)
    alone = crossed.score({0: mixed(10)}, ratio)
    plain = Resampling.over(IMAGES, 500, 3).value(mixed(10), ratio)
    twice = crossed.score({0: mixed(10), 1: mixed(10)}, ratio)
    assert alone is not None and plain is not None and twice is not None
    assert alone.value == plain.value == twice.value == 0.25
    assert np.array_equal(alone.draws, plain.draws) and np.allclose(twice.draws, plain.draws)


def test_seeds_that_differ_widen_the_interval_over_images() -> None:
    crossed = Crossed.of(IMAGES, 2000)
    one, many = crossed.score({0: mixed(20)}, ratio), crossed.score({0: mixed(10), 1: mixed(20), 2: mixed(30)}, ratio)
    assert one is not None and many is not None
    (low, high), (lower, higher) = one.interval(), many.interval()
    assert many.value == pytest.approx(one.value) and lower < low and high < higher


def test_a_difference_is_paired_by_image_and_by_seed() -> None:
    crossed = Crossed.of(IMAGES, 500)
    first = {0: mixed(10), 1: mixed(30)}
    more = {seed: sums + [0.1, 0.0] for seed, sums in first.items()}  # a tenth more of every image, in every seed
    found = crossed.difference(more, first, ratio)
    assert found is not None and found.value == pytest.approx(0.1)
    assert found.interval() == pytest.approx((0.1, 0.1))


def test_the_untrained_base_is_compared_with_all_seeds_and_others_on_those_that_both_have() -> None:
    crossed = Crossed.of(IMAGES, 500)
    base, three = {0: share(0.5)}, {0: share(0.4), 1: share(0.6), 2: share(0.8)}
    against_base = crossed.difference(three, base, ratio, untrained=True)
    assert against_base is not None and against_base.value == pytest.approx(0.1)
    against_one = crossed.difference(three, base, ratio)  # a trained row of which one seed was made
    assert against_one is not None and against_one.value == pytest.approx(-0.1)
    assert against_one.interval() == pytest.approx((-0.1, -0.1))
    assert crossed.difference(three, {7: share(0.5)}, ratio) is None
    against_two = crossed.difference(three, {1: share(0.6), 2: share(0.6)}, ratio)
    assert against_two is not None and against_two.value == pytest.approx(0.1)
    assert against_two.interval() == pytest.approx((0.0, 0.2))  # a tie in seed 1: not shown to differ
    assert crossed.difference({0: share(0.4), 1: share(0.5)}, {7: share(0.5), 8: share(0.5)}, ratio) is None


def test_a_difference_is_of_the_images_that_both_count() -> None:
    """The first row lost the images that it would have got wrong: it is no better on those that are left."""
    crossed = Crossed.of(IMAGES, 200)
    few = mixed(20)
    few[20:] = np.nan
    found = crossed.difference({0: few}, {0: mixed(20)}, ratio)
    assert found is not None and found.value == 0 and found.n == 20
    assert found.interval() == pytest.approx((0, 0))


def test_an_image_about_which_nothing_is_counted_has_no_part_in_the_value() -> None:
    sums = mixed(20)
    sums[30:] = np.nan
    crossed = Crossed.of(IMAGES, 200)
    found = crossed.score({0: sums}, ratio)
    assert found is not None and found.value == pytest.approx(20 / 30) and found.n == 30
    assert np.isfinite(found.draws).all()
    assert crossed.score({0: np.full((40, 2), np.nan)}, ratio) is None
