"""The small heat maps that a run keeps: order and place survive, odd values do not hurt; colours for the page."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from clincot.regions.kept_maps import SIDE, kept_map
from clincot.report.view.maps import LEVELS, OPAQUE, coloured


def levels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "L"
        return np.asarray(image)


def test_a_small_grid_is_kept_as_it_is_and_a_large_one_spans_the_whole_image() -> None:
    grid = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(levels(kept_map(grid)), np.round(grid * 255 / 11))
    large = np.zeros((200, 100), np.float32)
    large[150:, 50:] = 7
    small = levels(kept_map(large))
    assert small.shape == (SIDE, SIDE // 2) and small.argmax() // small.shape[1] >= 24 and small[0, 0] == 0
    assert len(kept_map(np.random.default_rng(0).random((300, 300)))) < 2_000


@pytest.mark.parametrize("odd", [np.full((4, 4), 3.0), np.full((4, 4), np.nan)])
def test_a_map_that_says_nothing_is_black(odd: np.ndarray) -> None:
    assert not levels(kept_map(odd)).any()


def test_values_outside_what_a_proposer_saw_count_as_the_lowest() -> None:
    assert levels(kept_map(np.array([[np.nan, 1.0, 2.0]]))).tolist() == [[0, 0, 255]]


def test_the_page_lets_the_image_through_where_the_map_is_low() -> None:
    with Image.open(io.BytesIO(coloured(kept_map(np.arange(256.0).reshape(16, 16))))) as image:
        seen = np.asarray(image.convert("RGBA")).reshape(-1, 4)
    assert seen[0, 3] == 0 and seen[-1].tolist() == [255, 235, 90, OPAQUE]
    assert (np.diff(seen[:, 3].astype(int)) >= 0).all() and len(np.unique(seen[:, 3])) == LEVELS
