"""Grounding scores against pixels counted on a drawn grid, for boxes and masks alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clincot.errors import ClincotError, DataError
from clincot.metrics.scoring.grounding import against_boxes, against_mask, lesion_share, pointing_game, region_iou

BOX = st.tuples(*[st.integers(0, 9)] * 4)


def drawn(boxes: list[tuple[int, ...]]) -> np.ndarray:
    mask = np.zeros((10, 10), int)
    for left, upper, right, lower in boxes:
        mask[upper:lower, left:right] = 1
    return mask


def test_scores_of_a_box_follow_their_formulas() -> None:
    said, truth = [0, 0, 4, 2], [[2, 0, 6, 2]]  # 8 pixels each, 4 in both; the centre (2, 1) lies in the true box
    assert region_iou().of([said], [truth]) == pytest.approx(4 / 12)
    assert lesion_share().of([said], [truth]) == pytest.approx(4 / 8)
    assert pointing_game().of([said], [truth]) == 1.0
    assert pointing_game().of([[0, 0, 3, 2]], [truth]) == 0.0  # half-open: 1.5 is left of 2


def test_two_true_boxes_are_one_region() -> None:
    truth = [[0, 0, 2, 2], [1, 0, 3, 2]]  # 6 pixels, two of them twice
    assert against_boxes([0, 0, 3, 2], truth).true == 6
    assert region_iou().of([[0, 0, 3, 2]], [truth]) == 1.0


@settings(max_examples=150, deadline=None)
@given(BOX, st.lists(BOX, max_size=4))
def test_boxes_and_their_drawn_mask_agree_with_counted_pixels(
    said: tuple[int, ...], truth: list[tuple[int, ...]]
) -> None:
    mask, mine = drawn(truth), drawn([said])
    counted = (int(mine.sum()), int(mask.sum()), int((mask & mine).sum()))
    for areas in (against_boxes(said, truth), against_mask(said, mask)):
        assert (areas.predicted, areas.true, areas.both) == counted


def test_no_box_is_a_miss_and_no_true_region_does_not_count() -> None:
    for make in (pointing_game, region_iou, lesion_share):
        assert make().of([[], [0, 0, 2, 2]], [[[0, 0, 2, 2]], [[0, 0, 2, 2]]]) == 0.5
        assert make().of([[0, 0, 2, 2], [0, 0, 2, 2]], [[[0, 0, 2, 2]], []]) == 1.0
        assert make("mask").of([[5, 5, 9, 9]], [[[1, 0], [0, 0]]]) == 0.0  # outside the image
        assert make().of([[2, 2, 2, 2]], [[[0, 0, 4, 4]]]) == 0.0  # an empty box
        assert make().of([], []) == 0.0


def test_what_is_no_box_is_refused() -> None:
    with pytest.raises(DataError, match="left, upper, right, lower"):
        region_iou().of([[1, 2, 3]], [[[0, 0, 1, 1]]])
    with pytest.raises(DataError, match="rows of pixels"):
        region_iou("mask").of([[0, 0, 1, 1]], [[1, 0]])
    with pytest.raises(ClincotError, match="Did you mean 'mask'"):
        region_iou("masks")
