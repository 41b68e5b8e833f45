"""A masked crop's mask and the image give the crop's bytes again, whatever the image holds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from clincot.images import crop_png, encode_png
from clincot.images.crops import cut, mask_of
from clincot.recipe import Regions
from clincot.records import Region
from clincot.regions.base import HeatMap
from clincot.regions.extract import find_region


def picture(kind: str) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    if kind == "grey":
        pixels[..., 1] = pixels[..., 2] = pixels[..., 0]
    if kind == "white spots":
        pixels[20:60:3] = 255  # white inside the component, too
    if kind == "white":
        pixels[:] = 255
    return Image.fromarray(pixels)


def region(image: Image.Image, crop: str) -> Region:
    values = np.zeros((9, 7), np.float32)
    values[2:6, 1:4] = values[3, 5] = 1.0
    found = find_region(image, HeatMap("nodule", values, 0.5), Regions(blur=3, least_side=20, crop=crop))  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["colour", "grey", "white spots", "white"])
def test_a_masked_crop_is_cut_again_bit_for_bit(kind: str) -> None:
    image = picture(kind)
    found = region(image, "masked")
    mask = mask_of(found.crop)
    assert cut(image, found.box, mask) == found.crop
    assert len(mask) < 600  # one bit a pixel


@pytest.mark.parametrize("kind", ["colour", "grey"])
def test_a_box_needs_no_mask(kind: str) -> None:
    image = picture(kind)
    found = region(image, "box")
    assert cut(image, found.box, None) == found.crop == crop_png(image, found.box)


def test_another_image_gives_other_bytes() -> None:
    found = region(picture("colour"), "masked")
    assert cut(picture("grey"), found.box, mask_of(found.crop)) != found.crop


def test_the_mask_shows_the_component_and_no_grey_value() -> None:
    found = region(picture("grey"), "masked")
    shape = np.asarray(Image.open(io.BytesIO(mask_of(found.crop))))
    assert shape.dtype == bool and 0 < shape.mean() < 1
    assert encode_png(Image.fromarray(shape)) == mask_of(found.crop)
