"""An anatomy and a finding's name -> where it lies (side, zone, box, mask) and how it changes the image."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from clincot.phantom.drawing.anatomy import COLUMNS, ROWS, SIDES, ZONES, Anatomy, Lung
from clincot.phantom.drawing.layers import blend, cloud, soft
from clincot.records import Box

FINDINGS = ("nodule", "consolidation", "effusion", "pneumothorax", "cardiomegaly")
RADIUS = {"nodule": (5.0, 10.0), "consolidation": (15.0, 24.0)}  # pixels of 256
CONTRAST = {"nodule": (0.15, 0.26), "consolidation": (0.20, 0.34)}  # of the grey range


@dataclass(frozen=True)
class Finding:
    """One finding; `side` ("left", "right") and `zone` are "" for cardiomegaly; `mask` is boolean, rows x columns."""

    name: str
    side: str
    zone: str
    box: Box
    mask: np.ndarray = field(repr=False)


def place(name: str, anatomy: Anatomy, free: np.ndarray, rng: np.random.Generator) -> Finding:
    """Choose where `name` lies in `anatomy`; the same law places decoys, so that a box does not reveal what it holds.

    Nodules and consolidations keep to the pixels of `free`: under fluid nobody could see them.
    """
    if name == "cardiomegaly":
        return Finding(name, "", "", _box(anatomy.heart), anatomy.heart)
    lung = anatomy.lungs[SIDES[int(rng.integers(2))]]
    if name == "effusion":
        mask = _meniscus(lung, anatomy, rng)
        return Finding(name, lung.side, "lower", _box(mask), mask)
    if name == "pneumothorax":
        mask = _rim(lung, anatomy, rng)
        return Finding(name, lung.side, "upper", _box(mask), mask)
    zone = ZONES[int(rng.integers(3))]
    mask = _blob(name, lung, zone, free, rng)
    return Finding(name, lung.side, zone, _box(mask), mask)


def paint(image: np.ndarray, finding: Finding, anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Draw `finding` into the lung layer; cardiomegaly is drawn with the heart itself."""
    if finding.name == "nodule":
        return image + rng.uniform(*CONTRAST["nodule"]) * soft(finding.mask, 1.5)
    if finding.name == "consolidation":
        texture = 1 + 0.18 * cloud(rng, 32)
        return image + rng.uniform(*CONTRAST["consolidation"]) * soft(finding.mask, 3) * texture
    if finding.name == "effusion":
        return blend(image, rng.uniform(0.62, 0.72), soft(finding.mask, 2.5) * 0.95)
    if finding.name == "pneumothorax":
        lung = anatomy.lungs[finding.side].mask
        grown = cv2.dilate(finding.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        inner = cv2.erode(lung.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        line = grown & ~finding.mask & inner
        return blend(image, 0.10, soft(finding.mask, 1) * 0.85) + 0.16 * soft(line, 0.7)
    return image


def _box(mask: np.ndarray) -> Box:
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return Box(x, y, x + width, y + height)


def _blob(name: str, lung: Lung, zone: str, free: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lay a ragged disc into the free part of `zone`."""
    first, last = lung.rows(zone, margin=4)
    inset = 15 if name == "nodule" else 21
    free = lung.mask & free
    band = (first <= ROWS) & (last >= ROWS)
    inner = cv2.erode(free.astype(np.uint8), np.ones((inset, inset), np.uint8)).astype(bool)
    spots = np.argwhere(band & inner)
    if len(spots) == 0:  # a large heart or fluid can cover the inset part of a zone, or all of it
        spots = np.argwhere(band & free) if (band & free).any() else np.argwhere(lung.mask & band)
    row, column = spots[int(rng.integers(len(spots)))]
    angle = np.arctan2(ROWS - row, COLUMNS - column)
    ragged = np.ones_like(angle)
    rough = 0.05 if name == "nodule" else 0.12
    for wave in (2, 3, 5):
        ragged += rough * np.sin(wave * angle + rng.uniform(0, 6.3)).astype(np.float32)
    radius = rng.uniform(*RADIUS[name])
    mask = np.hypot(ROWS - row, COLUMNS - column) < radius * ragged
    return mask & lung.mask


def _meniscus(lung: Lung, anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Fill the lung's base up to a level that rises towards the chest wall."""
    across = lung.sign * (COLUMNS - anatomy.middle) / lung.outer[:, None]
    level = lung.base - rng.uniform(22, 46) - 20 * (np.clip(across, 0, 1) ** 3 - 0.3)
    return lung.mask & (level < ROWS)


def _rim(lung: Lung, anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Cut the air between the chest wall and a lung edge that has fallen inwards, at the apex."""
    across = lung.sign * (COLUMNS - anatomy.middle)
    depth = (ROWS - lung.top) / (lung.base - lung.top)
    reach = rng.uniform(0.34, 0.52)
    width = rng.uniform(13, 24) * np.clip(1 - (depth / reach) ** 2, 0, 1)
    cap = rng.uniform(7, 13)
    return lung.mask & ((across > lung.outer[:, None] - width) | (lung.top + cap > ROWS)) & (depth < reach)
