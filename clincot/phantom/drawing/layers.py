"""An anatomy -> the grey layers that are drawn of it: body, vessels, mediastinum, bones, exposure and noise."""

from __future__ import annotations

import cv2
import numpy as np

from clincot.phantom.drawing.anatomy import COLUMNS, ROWS, SIZE, Anatomy, Lung

LUNG_GREY = 0.24
TISSUE_GREY = 0.60
HEART_GREY = 0.74


def soft(mask: np.ndarray, sigma: float) -> np.ndarray:
    """Blur a mask into weights in [0, 1]."""
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)


def blend(image: np.ndarray, grey: float, weight: np.ndarray) -> np.ndarray:
    """Move `image` towards `grey` by `weight`."""
    return image + (grey - image) * weight


def cloud(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Return low-frequency noise of unit variance, `cells` bumps a side."""
    small = rng.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def body(rng: np.random.Generator, anatomy: Anatomy) -> np.ndarray:
    """Draw air, soft tissue and the two empty lung fields."""
    outline = np.zeros((SIZE, SIZE), np.uint8)
    half = rng.uniform(104, 118)
    middle, shoulder = anatomy.middle, rng.uniform(20, 34)
    points = [(-half, 256), (-half, 90), (-half * 0.9, shoulder + 24), (-34, shoulder), (-22, 0)]
    ring = [*points, *[(-x, y) for x, y in reversed(points)]]
    cv2.fillPoly(outline, [np.array([(middle + x, y) for x, y in ring], np.int32)], 1)
    image = blend(np.full((SIZE, SIZE), 0.04, np.float32), TISSUE_GREY, soft(outline, 3))
    for lung in anatomy.lungs.values():
        image = blend(image, LUNG_GREY + float(rng.uniform(-0.03, 0.03)), soft(lung.mask, 1.5))
    return image


def vessels(rng: np.random.Generator, anatomy: Anatomy) -> np.ndarray:
    """Draw branching vessels from the hila, in [0, 1]."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    for lung in anatomy.lungs.values():
        height = lung.base - lung.top
        hilum = (anatomy.middle + lung.sign * rng.uniform(20, 26), lung.top + rng.uniform(0.40, 0.50) * height)
        cv2.circle(canvas, (int(hilum[0]), int(hilum[1])), int(rng.integers(6, 9)), 170, -1, cv2.LINE_AA)
        for angle in np.linspace(-1.25, 1.25, 7) + rng.uniform(-0.12, 0.12, 7):
            _branch(canvas, rng, hilum, angle, lung, thickness=3, left=3)
    return cv2.GaussianBlur(canvas, (0, 0), 0.8).astype(np.float32) / 255


def _branch(
    canvas: np.ndarray,
    rng: np.random.Generator,
    start: tuple[float, float],
    angle: float,
    lung: Lung,
    thickness: int,
    left: int,
) -> None:
    length = rng.uniform(14, 26)
    end = (start[0] + lung.sign * np.cos(angle) * length, start[1] + np.sin(angle) * length * 1.25)
    shade = int(70 + 50 * thickness / 3)
    cv2.line(canvas, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), shade, thickness, cv2.LINE_AA)
    if left == 0:
        return
    for turn in (rng.uniform(-0.45, -0.1), rng.uniform(0.1, 0.45)):
        _branch(canvas, rng, end, angle + turn, lung, max(thickness - 1, 1), left - 1)


def mediastinum(rng: np.random.Generator, anatomy: Anatomy, image: np.ndarray) -> np.ndarray:
    """Lay the central shadow, heart, spine and trachea over `image`."""
    across = np.abs(COLUMNS - anatomy.middle)
    centre = soft(across < 15 + 4 * (ROWS > 90), 3)
    image = blend(image, 0.68, centre * 0.9)
    image = blend(image, HEART_GREY, soft(anatomy.heart, 2) * 0.92)
    spine = soft(across < 8, 1.5) * (0.6 + 0.4 * np.sin(ROWS / 13 * 2 * np.pi + rng.uniform(0, 6)))
    trachea = soft((across < 5) & (ROWS < 92), 1.5)
    return image + 0.07 * spine - 0.16 * trachea


def bones(rng: np.random.Generator, anatomy: Anatomy) -> np.ndarray:
    """Draw 11 rib pairs and the clavicles, in [0, 1]."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    drop, spacing = rng.uniform(14, 26), rng.uniform(15.5, 17.5)
    reach = np.linspace(0, 1, 14)
    for lung in anatomy.lungs.values():
        for rib in range(11):
            start = lung.top - 12 + rib * spacing
            outer = float(np.interp(start + drop * 0.5, np.arange(SIZE), lung.outer)) + 4
            x = anatomy.middle + lung.sign * (8 + (outer - 8) * np.sin(reach * np.pi / 2))
            y = start - 6 * np.sin(reach * np.pi) + drop * reach**2.2
            points = np.stack([x, y], 1).astype(np.int32)
            cv2.polylines(canvas, [points], False, 205, 6, cv2.LINE_AA)
            cv2.polylines(canvas, [points], False, 120, 3, cv2.LINE_AA)
        ends = [(anatomy.middle + lung.sign * x, lung.top + y) for x, y in ((10, 16), (45, 6), (92, -8))]
        cv2.polylines(canvas, [np.array(ends, np.int32)], False, 255, 7, cv2.LINE_AA)
    return cv2.GaussianBlur(canvas, (0, 0), 1.0).astype(np.float32) / 255


def expose(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Apply exposure, blur and noise; return uint8 greys."""
    image = image + 0.015 * cloud(rng, 6) + 0.012 * cloud(rng, 40)
    image = np.clip(image, 0.0, 1.0) ** rng.uniform(0.8, 1.25)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.1))
    image = image * rng.uniform(0.9, 1.08) + rng.uniform(-0.02, 0.04)
    image = image + rng.uniform(0.008, 0.02) * rng.standard_normal(image.shape, dtype=np.float32)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8)
