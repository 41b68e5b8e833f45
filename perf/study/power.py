"""Numbers of seeds and images -> the chance to find a difference, before any result is made."""

from __future__ import annotations

from functools import cache

import numpy as np

EFFECTS = (1.0, 2.0, 3.0, 5.0, 8.0)  # points
SPREADS = ((10.6, 0.7), (10.6, 1.2), (24.0, 1.2), (24.0, 3.0))  # of images and of seeds, in points, as assumed
CLAIMS = 8  # the first of Holm's needs .05 / 8
DRAWS = 4000


def power_table(seeds: int, images: int) -> str:
    """Render the chance that both tests (t over seeds, crossed interval) find an effect at Holm's first level."""
    header = "| spread of images / of seeds | " + " | ".join(f"{effect:g} points" for effect in EFFECTS) + " |"
    lines = [
        f"Power of one contrast with {seeds} seeds and {images} test images, two-sided at .05 / {CLAIMS};"
        " spreads are assumed, in points:",
        "",
        header,
        "|---" * (len(EFFECTS) + 1) + "|",
    ]
    for image, seed in SPREADS:
        found = [power(effect, image, seed, seeds, images) for effect in EFFECTS]
        lines.append(f"| {image:g} / {seed:g} | " + " | ".join(f"{one:.2f}" for one in found) + " |")
    return "\n".join(lines) + "\n"


def power(effect: float, image: float, seed: float, seeds: int, images: int) -> float:
    """Return the share of simulated studies in which both tests find `effect`; none with one seed."""
    if seeds < 2:
        return 0.0
    rng = np.random.default_rng(0)
    shared = rng.normal(0, image / np.sqrt(images), (DRAWS, 1))  # the images are the same for all seeds
    values = effect + shared + rng.normal(0, seed, (DRAWS, seeds))
    mean, deviation = values.mean(1), values.std(1, ddof=1)
    by_seeds = two_sided(mean / (deviation / np.sqrt(seeds)), seeds - 1)
    crossed = np.abs(mean) / np.sqrt(deviation**2 / seeds + image**2 / images)
    return float(np.mean((by_seeds < 0.05 / CLAIMS) & (crossed > NORMAL)))


NORMAL = 2.734  # two-sided normal quantile of .05 / 8


def two_sided(t: np.ndarray | float, freedom: int) -> np.ndarray:
    """Return the two-sided p values of Student's t; with T = sqrt(n) tan(a) its density is cos(a) ** (n - 1)."""
    below, above = _halves(freedom)
    return np.interp(np.arctan(np.abs(t) / np.sqrt(freedom)), below, above)


@cache
def _halves(freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Return angles from 0 to a right angle, and the share of the density above each."""
    angles = np.linspace(0, np.pi / 2, 20_001)
    density = np.cos(angles) ** (freedom - 1)
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return angles, 1 - area / area[-1]
