"""Hidden regions and their control: as many pixels, in one colour, elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clincot.images import encode_png
from clincot.images.hiding import dimmed, filled, mask_of, moved
from clincot.records import Box, TrueRegion


def noise(width: int = 20, height: int = 12) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def shape() -> np.ndarray:
    """A ring of 8 pixels, whose hole is outside of it."""
    mask = np.zeros((12, 20), bool)
    mask[4:7, 9:12] = True
    mask[5, 10] = False
    return mask


def test_what_is_hidden_has_the_mean_of_the_rest_and_nothing_else_changes() -> None:
    image, mask = noise(), shape()
    before, after = np.asarray(image), np.asarray(filled(image, mask))
    assert (after[~mask] == before[~mask]).all()
    assert (after[mask] == np.rint(before[~mask].mean(0))).all()
    assert not np.asarray(filled(image, np.ones_like(mask))).any()


@pytest.mark.parametrize("seed", map(str, range(20)))
def test_a_moved_mask_is_as_large_and_lies_elsewhere(seed: str) -> None:
    mask = shape()
    found = moved(mask, seed)
    assert found is not None and found.sum() == mask.sum() == 8 and not (found & mask).any()
    again = moved(mask, seed)
    assert again is not None and (again == found).all()


def test_there_may_be_no_place_for_a_mask() -> None:
    half = np.zeros((4, 4), bool)
    half[:, :3] = True
    assert moved(half, "a") is None and moved(np.zeros((4, 4), bool), "a") is None


def test_masks_count_before_boxes_and_one_of_another_size_counts_as_its_box() -> None:
    whole = Box(8, 3, 13, 8)
    drawn = encode_png(Image.fromarray(shape().astype(np.uint8) * 255))
    small = encode_png(Image.fromarray(np.full((3, 3), 255, np.uint8)))
    assert (mask_of([TrueRegion("mass", whole, drawn)], (20, 12)) == shape()).all()
    for region in (TrueRegion("mass", whole, small), TrueRegion("mass", whole)):
        assert mask_of([region], (20, 12)).sum() == 25
    assert mask_of([TrueRegion("mass", Box(18, 10, 30, 30))], (20, 12)).sum() == 4


def test_a_dimmed_image_keeps_its_order_of_greys() -> None:
    dim = np.asarray(dimmed(noise(), 0.9)).astype(int)
    assert (dim == np.rint(np.asarray(noise()) * 0.9)).all() and dim.max() <= 230
