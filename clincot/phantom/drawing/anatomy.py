"""A random generator -> the geometry of one thorax: lungs, heart and the grey image of its healthy layers."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

SIZE = 256  # pixels a side; a 48-pixel global view then shows a nodule as 2 to 4 pixels
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE].astype(np.float32)
SIDES = ("right", "left")  # the patient's; radiological convention puts the patient's left on the image's right
ZONES = ("upper", "middle", "lower")
NORMAL_RATIO = (0.40, 0.485)  # cardio-thoracic ratio
ENLARGED_RATIO = (0.56, 0.66)

DEPTH = np.array([0.0, 0.05, 0.15, 0.3, 0.5, 0.7, 0.9, 1.0, 1.3])
OUTER = np.array([34.0, 50, 64, 76, 84, 88, 90, 90, 90])
INNER = np.array([30.0, 20, 16, 14, 15, 17, 20, 22, 24])


@dataclass(frozen=True)
class Lung:
    """One lung field; `outer` and `inner` are distances from the midline in pixels, one per image row."""

    side: str
    sign: int
    top: float
    base: float
    outer: np.ndarray = field(repr=False)
    inner: np.ndarray = field(repr=False)
    mask: np.ndarray = field(repr=False)

    def zone(self, row: float) -> str:
        """Name the third of the lung's height that holds image row `row`."""
        third = int(3 * (row - self.top) / (self.base - self.top))
        return ZONES[min(max(third, 0), 2)]

    def rows(self, zone: str, margin: float) -> tuple[float, float]:
        """Return the first and last row of `zone`, `margin` pixels away from its neighbours."""
        height = (self.base - self.top) / 3
        start = self.top + ZONES.index(zone) * height
        return start + margin, start + height - margin


@dataclass(frozen=True)
class Anatomy:
    """A thorax: `middle` is the column of the spine, `heart` a boolean mask, `ratio` the cardio-thoracic ratio."""

    middle: float
    lungs: dict[str, Lung]
    heart: np.ndarray = field(repr=False)
    ratio: float

    @property
    def aerated(self) -> np.ndarray:
        """Lung that the heart does not cover: where a lesion can be seen."""
        return (self.lungs["left"].mask | self.lungs["right"].mask) & ~self.heart


def thorax(rng: np.random.Generator, enlarged: bool) -> Anatomy:
    """Draw the geometry of a thorax whose heart is `enlarged` or not."""
    middle = 128 + rng.uniform(-5, 5)
    top = 36 + rng.uniform(-5, 7)
    base = 205 + rng.uniform(-6, 8)
    width = rng.uniform(0.93, 1.06)
    lungs = {
        "right": _lung("right", -1, middle, top, base - rng.uniform(7, 14), width, rng),
        "left": _lung("left", 1, middle, top, base, width, rng),
    }
    ratio = float(rng.uniform(*(ENLARGED_RATIO if enlarged else NORMAL_RATIO)))
    return Anatomy(middle, lungs, _heart(rng, middle, base, 2 * 90 * width * ratio), ratio)


def _lung(side: str, sign: int, middle: float, top: float, base: float, width: float, rng: np.random.Generator) -> Lung:
    depth = (np.arange(SIZE) - top) / (base - top)
    outer = (np.interp(depth, DEPTH, OUTER) * width).astype(np.float32)
    inner = (np.interp(depth, DEPTH, INNER) * rng.uniform(0.9, 1.15)).astype(np.float32)
    across = sign * (COLUMNS - middle)
    dome = rng.uniform(14, 22)
    floor = base - dome * np.clip(1 - ((across - 42) / 50) ** 2, 0, 1) + dome * 0.4
    mask = (across > inner[:, None]) & (across < outer[:, None]) & (top < ROWS) & (floor > ROWS)
    return Lung(side, sign, top, base, outer, inner, mask)


def _heart(rng: np.random.Generator, middle: float, base: float, width: float) -> np.ndarray:
    height = width * rng.uniform(0.76, 0.88)
    centre = (middle + width * rng.uniform(0.12, 0.17), base - 0.40 * height)
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(canvas, (centre, (width, height), rng.uniform(18, 32)), 1, -1)
    return canvas.astype(bool)
