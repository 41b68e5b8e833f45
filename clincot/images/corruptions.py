"""An RGB image, a strength and a seed -> the same image damaged: diffusion noise, lesion noise, black, low-pass.

Nothing here is drawn from a global generator: equal arguments give equal pixels on every machine.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

from clincot import images
from clincot.records import Box

# POVID's schedule (arXiv 2402.11411; YiyangZhou/POVID, commit 92c7c67): beta_t = sigmoid(u) * (HIGH - LOW) + LOW with u
# evenly spaced in [-6, 6], for t = 0..999. POVID itself adds noise of t = 500, which is strength 0.5.
STEPS = 1000
LOW, HIGH = 1e-5, 0.5e-2
REPLACED = 10  # aiming-lab/MMedPO, commit 97d17e2: of 255
STRIPE = 256  # rows that are computed at a time: an image may have 89 million pixels


def diffusion_noise(image: Image.Image, strength: float, seed: int) -> Image.Image:
    """Return x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps of the forward diffusion process, t = 1000 * strength.

    As POVID does, x_0 is the whole image before any resizing, its channels scaled to [0, 1]; eps is standard normal,
    independent per pixel and channel; x_t is clipped to [0, 1]. Strength 0 returns the image unchanged. At strength 1
    the image keeps 0.285 of its contrast and the noise has a standard deviation of 0.959: the schedule ends there.

    Args:
        image: RGB, of any size.
        strength: in [0, 1].
        seed: of the noise; a whole number >= 0.

    Raises:
        ValueError: for a strength outside [0, 1].
    """
    kept, noise = scales(strength)
    if noise == 0:
        return image.copy()
    generator = np.random.default_rng(seed)
    pixels = np.asarray(image)
    noisy = np.empty_like(pixels)
    for top in range(0, len(pixels), STRIPE):
        clean = pixels[top : top + STRIPE].astype(np.float32) / 255
        eps = generator.standard_normal(clean.shape, np.float32)
        noisy[top : top + STRIPE] = np.rint(np.clip(kept * clean + noise * eps, 0, 1) * 255)
    return Image.fromarray(noisy)


def lesion_noise(image: Image.Image, box: Box, mask: bytes | None, strength: float, seed: int) -> Image.Image:
    """Return the image with `diffusion_noise` inside a region only, as MMedPO's paper describes it (arXiv 2412.06141).

    The paper's equation is what is computed here; `lesion_replaced` is what its released code does.

    Args:
        image: RGB, of any size.
        box: of the region, in pixels of `image`.
        mask: a one-bit PNG of the box's size, white inside the region; None where the region is the box.
        strength: in [0, 1].
        seed: of the noise.

    Raises:
        ValueError: for a strength outside [0, 1], or a mask that has not the size of the box.
    """
    return _with(image, diffusion_noise(image.crop(box), strength, seed), box, mask)


def lesion_replaced(image: Image.Image, box: Box, mask: bytes | None, seed: int) -> Image.Image:
    """Return the image with the pixels of a region replaced by normal noise, as MMedPO's released code does.

    Mean 0, standard deviation 10 of 255, independent per pixel and channel, rounded and clipped to 0..255: half of the
    values are 0, so that the region is almost black. Arguments are those of `lesion_noise`, as are its errors.
    """
    width, height = box.right - box.left, box.lower - box.upper
    speckle = np.random.default_rng(seed).normal(0, REPLACED, (height, width, 3))
    return _with(image, Image.fromarray(np.rint(speckle.clip(0, 255)).astype(np.uint8)), box, mask)


def _with(image: Image.Image, inside: Image.Image, box: Box, mask: bytes | None) -> Image.Image:
    """Return the image with `inside` in the box, where the mask is white."""
    changed = image.copy()
    if mask is None:
        changed.paste(inside, box)
        return changed
    shape = images.decode(mask, "mask").convert("L")
    if shape.size != inside.size:
        raise ValueError(f"mask: is {shape.size} pixels, its box is {inside.size}. Give the mask of this box.")
    changed.paste(inside, box, shape)
    return changed


def black(image: Image.Image) -> Image.Image:
    """Return a black image of the same size: what a policy knows without seeing anything."""
    return Image.new("RGB", image.size)


def low_pass(image: Image.Image, strength: float) -> Image.Image:
    """Return the image without its fine detail: scaled down to `strength` of its width and height, and up again.

    Down by area averages (no aliasing), up bilinearly. At least one pixel is left in each direction; strength 1 returns
    the image unchanged.

    Args:
        image: RGB, of any size.
        strength: in (0, 1].

    Raises:
        ValueError: for a strength outside (0, 1].
    """
    if not 0 < strength <= 1:
        raise ValueError(f"low_pass: strength {strength} is outside (0, 1]. Give the factor of the size that is kept.")
    if strength == 1:
        return image.copy()
    small = (max(1, round(image.width * strength)), max(1, round(image.height * strength)))
    return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BILINEAR)


def scales(strength: float) -> tuple[float, float]:
    """Return sqrt(abar_t) and sqrt(1 - abar_t) of t = 1000 * `strength`, rounded to a whole step; (1, 0) for t = 0.

    POVID reads its table of 1000 entries at index t; t = 1000 is read at its last entry.
    """
    if not 0 <= strength <= 1:
        raise ValueError(
            f"noise: strength {strength} is outside [0, 1]. Give the share of the {STEPS} diffusion steps."
        )
    step = round(strength * STEPS)
    if step == 0:
        return 1.0, 0.0
    remaining = float(_remaining()[min(step, STEPS - 1)])
    return remaining**0.5, (1 - remaining) ** 0.5


@cache
def _remaining() -> np.ndarray:
    """Return abar_t, the product of 1 - beta over the steps up to and including t, for t = 0..999."""
    beta = (HIGH - LOW) / (1 + np.exp(-np.linspace(-6, 6, STEPS))) + LOW
    return np.cumprod(1 - beta)
