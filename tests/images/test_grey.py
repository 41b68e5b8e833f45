"""A few stray pixels and a label that is burnt in do not decide the greys of a deep image; all else does."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from clincot.images import decode
from clincot.images.grey import depth, span


def shades(values: np.ndarray, kind: str = "TIFF") -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind)
    return np.asarray(decode(buffer.getvalue()))[..., 0].astype(int)


def ramp(low: float, high: float, dtype: type) -> np.ndarray:
    return np.tile(np.linspace(low, high, 64).astype(dtype), (48, 1))


RAMPS = {
    "10 bit": ramp(0, 1023, np.uint16),
    "12 bit": ramp(0, 4095, np.uint16),
    "14 bit, high": ramp(9_000, 16_383, np.uint16),
    "nearly 16 bit": ramp(0, 60_000, np.uint16),
    "Hounsfield": ramp(-1000, 1000, np.int32),
    "float": ramp(0.1, 0.9, np.float32),
}


@pytest.mark.parametrize("name", RAMPS)
def test_without_outliers_an_image_spans_all_greys(name: str):
    values = RAMPS[name]
    share = (values - values.min().astype(float)) / (values.max().astype(float) - values.min())
    assert abs(shades(values) - share * 255).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("name", RAMPS)
@pytest.mark.parametrize("strays", [{0: "high"}, {0: "low"}, {0: "low", 700: "high"}, {0: "high", 5: "middle"}])
def test_one_or_two_stray_pixels_change_the_others_by_a_few_levels(name: str, strays: dict[int, str]):
    values = RAMPS[name].copy()
    least, most = (np.iinfo(np.uint16).min, np.iinfo(np.uint16).max) if values.dtype == np.uint16 else (-32_768, 32_767)
    far = {"low": least, "high": most, "middle": (int(values.max()) + most) // 2}
    for place, where in strays.items():
        values.ravel()[place] = far[where]
    found = shades(values)
    others = np.delete(abs(found - shades(RAMPS[name])).ravel(), list(strays))
    # Two strays of 3,072 pixels are under a thousandth, the middle one of "nearly 16 bit" too near to be one.
    assert others.max() <= (12 if "middle" in strays.values() else 5), others.max()
    for place, where in strays.items():
        assert found.ravel()[place] == (0 if where == "low" else 255) or where == "middle"


@pytest.mark.parametrize("size", [(3, 12), (6, 20), (12, 24)])  # 1 to 9 % of the image
@pytest.mark.parametrize("name", ["10 bit", "12 bit", "14 bit, high", "Hounsfield"])
def test_a_burnt_in_label_is_white_and_leaves_the_greys_to_the_body(name: str, size: tuple[int, int]):
    values = RAMPS[name].copy()
    values[: size[0], : size[1]] = 65_535 if values.dtype == np.uint16 else 32_767
    found, plain = shades(values), shades(RAMPS[name])
    assert (found[: size[0], : size[1]] == 255).all()
    assert abs(found[size[0] :] - plain[size[0] :]).max() <= 1


def test_white_letters_on_a_black_plate_and_their_smooth_edges():
    rng = np.random.default_rng(0)
    values = ramp(20_000, 24_000, np.uint16)
    values[:6, :20] = 0
    values[1:5, 2:18] = 65_535
    values[1:5, 2] = rng.integers(0, 65_535, 4)
    assert abs(shades(values)[8:] - shades(ramp(20_000, 24_000, np.uint16))[8:]).max() <= 1


def test_a_large_bright_part_is_no_label():
    values = RAMPS["12 bit"].copy()
    values[:12, :32] = 65_535  # an eighth of the image
    assert span(values) == (0, 65_535)


def test_a_drawing_of_a_few_values_keeps_them_all():
    values = np.zeros((48, 64), np.uint16)
    values[:20], values[20:30], values[:3] = 100, 200, 65_535
    assert span(values) == (0, 65_535)


def test_a_small_lesion_in_the_range_of_the_body_is_kept():
    """Bright, but not across a gap: 0.06 % of the pixels reach a tenth above the others."""
    values = ramp(0, 4000, np.uint16)
    values[5, 5], values[5, 6] = 4050, 4100
    assert span(values) == (0, 4100)


def test_in_a_tiny_image_every_pixel_counts():
    values = np.array([[0, 100], [200, 60_000]], np.uint16)
    assert span(values) == (0, 60_000)


@pytest.mark.parametrize("value", [0, 900, 65_535])
def test_constant_images_are_black_and_with_a_hot_pixel_still_are(value: int):
    values = np.full((16, 16), value, np.uint16)
    assert not shades(values).any()
    values[3, 3] = 30_000
    found = shades(values)
    assert sorted(np.unique(found)) == [0, 255] and (found == 255).sum() in (1, 255)


@pytest.mark.parametrize(("most", "bits"), [(0, 8), (200, 8), (255, 8), (256, 9), (4095, 12), (4096, 13), (65_535, 16)])
def test_the_depth_is_the_bits_of_the_highest_value(most: int, bits: int):
    assert depth(np.linspace(0, most, 5000).astype(np.uint16)) == bits


def test_a_hot_pixel_does_not_deepen_an_image():
    values = RAMPS["12 bit"].copy()
    values[4, 4] = 65_535
    assert depth(values) == 12


def test_wide_integers_and_floats_are_spanned_alike():
    values = ramp(0, 4095, np.uint16)
    values[2, 2] = 65_535
    assert span(values) == span(values.astype(np.int32)) == span(values.astype(np.float32)) == (0, 4095)


def test_a_thousandth_of_the_pixels_may_be_strays_and_no_more():
    values = ramp(0, 4095, np.uint16)  # 3,072 pixels
    values.ravel()[:3] = 20_000, 40_000, 65_535
    assert span(values) == (0, 4095)
    values.ravel()[3:9] = range(8000, 62_000, 9000)
    assert span(values)[1] > 20_000


def test_the_sparse_ends_of_a_small_image_are_not_peeled_off_one_by_one():
    """Of 256 pixels one may be a stray at each end, whatever gaps the others leave behind it."""
    values = np.round(np.geomspace(100, 60_000, 256)).astype(np.uint16).reshape(16, 16)
    values = np.sort(values.ravel())
    assert span(values)[1] >= values[-2]
    assert span(65_535 - values)[0] <= 65_535 - values[-2]
