"""Corrupted images: the diffusion schedule by hand, seeds, strengths at both ends, and where a lesion's noise ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from clincot import images
from clincot.images.corruptions import black, diffusion_noise, lesion_noise, low_pass, scales
from clincot.records import Box

BOX = Box(10, 20, 40, 30)


@pytest.fixture
def picture() -> Image.Image:
    """Return 300 rows (more than one stripe) of a ramp, different in every channel."""
    across = np.linspace(0, 255, 60).astype(np.uint8)
    ramp = np.tile(across, (300, 1))
    return Image.fromarray(np.stack([ramp, ramp[:, ::-1], np.full_like(ramp, 128)], axis=2))


def values(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def mask(inside: np.ndarray) -> bytes:
    return images.encode_png(Image.fromarray(inside.astype(np.uint8) * 255).convert("1"))


def test_the_schedule_by_hand() -> None:
    remaining = 1.0
    for step in range(501):
        remaining *= 1 - ((0.005 - 1e-5) / (1 + math.exp(6 - 12 * step / 999)) + 1e-5)
    assert scales(0.5) == pytest.approx((math.sqrt(remaining), math.sqrt(1 - remaining)), rel=1e-9)


@pytest.mark.parametrize(("step", "kept", "noise"), [(300, 0.981, 0.194), (500, 0.863, 0.505), (700, 0.593, 0.805)])
def test_the_scales_that_povid_s_code_gives(step: int, kept: float, noise: float) -> None:
    assert scales(step / 1000) == pytest.approx((kept, noise), abs=5e-4)


def test_a_pixel_by_hand() -> None:
    grey = Image.new("RGB", (4, 3), (102, 102, 102))
    eps = np.random.default_rng(7).standard_normal((3, 4, 3), np.float32)
    kept, noise = scales(0.2)
    expected = np.rint(np.clip(kept * 0.4 + noise * eps, 0, 1) * 255)
    assert (values(diffusion_noise(grey, 0.2, 7)) == expected).all()


def test_noise_has_the_spread_of_the_schedule() -> None:
    grey = Image.new("RGB", (200, 400), (128, 128, 128))
    noisy = values(diffusion_noise(grey, 0.3, 1)) / 255
    assert noisy.mean() == pytest.approx(0.981 * 128 / 255, abs=0.003)
    assert noisy.std() == pytest.approx(0.194, abs=0.003)
    assert abs(np.corrcoef(noisy[..., 0].ravel(), noisy[..., 1].ravel())[0, 1]) < 0.02  # channels are independent
    assert (noisy[:100] != noisy[256:356]).mean() > 0.9  # and so are stripes


def test_equal_seeds_give_equal_pixels_and_others_do_not(picture: Image.Image) -> None:
    first, again, other = (diffusion_noise(picture, 0.5, seed) for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes() != other.tobytes()
    assert (first.size, first.mode) == (picture.size, "RGB")


def test_strength_0_is_the_image_and_strength_1_nearly_noise(picture: Image.Image) -> None:
    assert diffusion_noise(picture, 0, 1).tobytes() == picture.tobytes()
    assert diffusion_noise(picture, 0.0004, 1).tobytes() == picture.tobytes()
    assert diffusion_noise(picture, 0.001, 1).tobytes() != picture.tobytes()
    channel = values(picture)[..., 0].ravel()
    agreement = [
        np.corrcoef(channel, values(diffusion_noise(picture, strength, 1))[..., 0].ravel())[0, 1]
        for strength in (0.2, 0.5, 0.8, 1)
    ]
    assert agreement == sorted(agreement, reverse=True)
    assert agreement[0] > 0.9 and agreement[-1] < 0.15


@pytest.mark.parametrize("strength", [-0.1, 1.01, math.nan])
def test_strengths_outside_the_schedule_are_refused(picture: Image.Image, strength: float) -> None:
    with pytest.raises(ValueError, match=r"outside \[0, 1\]"):
        diffusion_noise(picture, strength, 1)


def test_lesion_noise_ends_at_its_box(picture: Image.Image) -> None:
    changed = values(lesion_noise(picture, BOX, None, 0.5, 1)) != values(picture)
    inside = np.zeros(changed.shape, bool)
    inside[BOX.upper : BOX.lower, BOX.left : BOX.right] = True
    assert not changed[~inside].any() and changed[inside].mean() > 0.9


def test_lesion_noise_is_that_of_its_crop(picture: Image.Image) -> None:
    noisy = lesion_noise(picture, BOX, None, 0.5, 1).crop(BOX)
    assert noisy.tobytes() == diffusion_noise(picture.crop(BOX), 0.5, 1).tobytes()


def test_lesion_noise_ends_at_its_mask(picture: Image.Image) -> None:
    shape = np.zeros((10, 30), bool)
    shape[2:8, 5:12] = True
    changed = (values(lesion_noise(picture, BOX, mask(shape), 0.5, 1)) != values(picture)).any(axis=2)
    assert (changed.sum(), changed[20:30, 10:40][~shape].sum()) == (shape.sum(), 0)


def test_a_mask_of_another_box_is_refused(picture: Image.Image) -> None:
    with pytest.raises(ValueError, match="mask: is"):
        lesion_noise(picture, BOX, mask(np.ones((9, 30), bool)), 0.5, 1)


def test_lesion_noise_of_strength_0_changes_nothing(picture: Image.Image) -> None:
    assert lesion_noise(picture, BOX, None, 0, 1).tobytes() == picture.tobytes()


def test_black(picture: Image.Image) -> None:
    assert black(picture).size == picture.size
    assert not values(black(picture)).any()


def test_low_pass_keeps_areas_and_loses_detail() -> None:
    board = np.zeros((40, 60, 3), np.uint8)
    board[::2, ::2] = board[1::2, 1::2] = 255
    board[:, 30:] //= 3  # left half: mean 127.5; right half: 42.5
    low = values(low_pass(Image.fromarray(board), 0.1))
    assert low.shape == board.shape
    assert np.abs(low[:, :20] - 127.5).max() <= 1 and np.abs(low[:, 40:] - 42.5).max() <= 1


def test_low_pass_at_both_ends(picture: Image.Image) -> None:
    assert low_pass(picture, 1).tobytes() == picture.tobytes()
    assert len(np.unique(values(low_pass(picture, 1e-6)).reshape(-1, 3), axis=0)) == 1
    for strength in (0, -1, 1.5):
        with pytest.raises(ValueError, match="low_pass: strength"):
            low_pass(picture, strength)
