"""The mask of a region and its image give the crop that a masked image gives, whatever the image holds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from clincot.images import decode
from clincot.images.crops import mask_of
from clincot.images.views import encode, render
from clincot.records import Box, Region, View

BOX = Box(10, 15, 55, 70)


def picture(kind: str) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    if kind == "grey":
        pixels[..., 1] = pixels[..., 2] = pixels[..., 0]
    if kind == "white spots":
        pixels[20:60:3] = 255  # white inside the component, too
    if kind == "white":
        pixels[:] = 255
    return Image.fromarray(pixels)


def component() -> np.ndarray:
    inside = np.zeros((90, 70), bool)
    inside[20:60, 12:40] = inside[30:35, 40:50] = True
    return inside


def by_hand(image: Image.Image) -> np.ndarray:
    """M_p * x_v + (1 - M_p) * white, cut out (Eq. 1)."""
    kept = component()[..., None]
    whole = np.where(kept, np.asarray(image), 255).astype(np.uint8)
    return whole[BOX.upper : BOX.lower, BOX.left : BOX.right]


def region(image: Image.Image, *, masked: bool = True) -> Region:
    return Region("nodule", BOX, 0.5, mask_of(image, component(), BOX) if masked else None)


@pytest.mark.parametrize("kind", ["colour", "grey", "white spots", "white"])
def test_a_masked_crop_is_the_masked_image_cut_out(kind: str) -> None:
    image = picture(kind)
    found = region(image)
    shown = render(image, View("crop", found))
    assert np.array_equal(np.asarray(shown), by_hand(image))
    assert np.array_equal(np.asarray(decode(encode(shown))), by_hand(image))
    assert Image.open(io.BytesIO(encode(shown))).mode == ("L" if kind in ("grey", "white") else "RGB")
    assert len(found.mask or b"") < 600  # one bit a pixel


@pytest.mark.parametrize("kind", ["colour", "grey", "white spots", "white"])
def test_the_mask_is_the_one_that_can_be_read_off_the_crop(kind: str) -> None:
    shape = np.asarray(Image.open(io.BytesIO(region(picture(kind)).mask or b"")))
    assert shape.dtype == bool
    assert np.array_equal(shape, (by_hand(picture(kind)) < 255).any(axis=2))


@pytest.mark.parametrize("kind", ["colour", "grey"])
def test_a_box_needs_no_mask(kind: str) -> None:
    image = picture(kind)
    shown = render(image, View("crop", region(image, masked=False)))
    assert np.array_equal(np.asarray(shown), np.asarray(image)[BOX.upper : BOX.lower, BOX.left : BOX.right])


def test_another_image_gives_another_crop_of_the_same_shape() -> None:
    found = View("crop", region(picture("colour")))
    here, there = (np.asarray(render(picture(kind), found)) for kind in ("colour", "grey"))
    assert not np.array_equal(here, there) and here.shape == there.shape
