"""An image and a heat map -> the region where the hypothesis shows, or None (Eq. 1).

A_p = heat map, upsampled and scaled to [0, 1]; M_p = one connected component of 1[A_p >= level], where level is mean +
threshold * std of A_p or one of its quantiles; r_p = crop of M_p * x_v + (1 - M_p) * white. The numbers are ours
(docs/methods.md#eq-1-region), blur as in MMedPO. A map of two values is a mask, drawn and not estimated: it is taken as
it is.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from clincot import recipe
from clincot.errors import RecipeError
from clincot.images.crops import mask_of
from clincot.records import Box, Region
from clincot.regions.base import HeatMap

FLAT = 1e-6  # share of its largest value: a float32 map that ranges over less says nothing about where


def find_region(image: Image.Image, heat_map: HeatMap, settings: recipe.Regions) -> Region | None:
    """Return the strongest connected component of `heat_map` on `image` (RGB), cut out as PNG bytes.

    None when the map is constant or no component covers `settings.smallest` of the image. Blur, level and `smallest`
    are against noise and do not touch a mask: mean + std of one that covers half of the image is more than 1. Raises
    RecipeError for a blur that is not odd and a quantile outside [0, 1].
    """
    if is_mask(heat_map.values):
        component = mask_component(heat_map.values, image.size)
    else:
        activation = activation_map(heat_map.values, image.size, settings.blur)
        if activation is None:
            return None
        component = strongest_component(activation, above_level(activation, settings), settings.smallest)
    if component is None:
        return None
    box = padded_box(component, settings.padding, settings.least_side)
    mask = mask_of(image, component, box) if settings.crop == "masked" else None
    return Region(heat_map.hypothesis, box, heat_map.confidence, mask)


def is_mask(values: np.ndarray) -> bool:
    """Return whether a map holds two values and no others, all of them finite."""
    low, high = values.min(), values.max()
    return bool(low < high and np.isfinite(values).all() and ((values == low) | (values == high)).all())


def mask_component(values: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    """Return the largest component of the upper of two values, at `size` (width, height): bool (rows, columns).

    None when no pixel centre of a small image falls on it.
    """
    raised = (values == values.max()).astype(np.float32)
    whole = cv2.resize(raised, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return strongest_component(whole, whole > 0, 0.0)


def activation_map(values: np.ndarray, size: tuple[int, int], blur: int) -> np.ndarray | None:
    """Upsample `values` (rows, columns) bilinearly to `size` (width, height), scale to [0, 1] and blur: float32.

    Values that are not finite (outside what a proposer saw) count as the lowest. None for a constant map.
    """
    if blur > 1 and blur % 2 == 0:
        raise RecipeError(
            f"build.regions.blur: {blur} is even, a kernel has a middle pixel. Use {blur + 1}, or 0 for none."
        )
    finite = np.isfinite(values)
    if not finite.any():
        return None
    filled = np.where(finite, values, values[finite].min()).astype(np.float32)
    large = cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR)
    low, high = float(large.min()), float(large.max())
    if high - low <= FLAT * max(abs(low), abs(high)):
        return None
    scaled = ((large - low) / (high - low)).astype(np.float32)
    return cv2.GaussianBlur(scaled, (blur, blur), 0) if blur > 1 else scaled


def above_level(activation: np.ndarray, settings: recipe.Regions) -> np.ndarray:
    """Return where `activation` reaches mean + threshold * std, or its quantile by that rule: bool, of its shape.

    Where more than the quantile's share of a map is at its floor, the level is the floor, and what counts lies above.
    """
    if settings.rule == "quantile":
        if not 0 <= settings.quantile <= 1:
            raise RecipeError(f"build.regions.quantile: {settings.quantile} is no share. Use a number from 0 to 1.")
        level = float(np.quantile(activation, settings.quantile))
        return activation > level if level <= activation.min() else activation >= level
    # float64: in float32 the mean over a 4-megapixel map is off by more than a faint lesion adds.
    level = float(activation.mean(dtype=np.float64)) + settings.threshold * float(activation.std(dtype=np.float64))
    return activation >= level


def strongest_component(activation: np.ndarray, above: np.ndarray, smallest: float) -> np.ndarray | None:
    """Return the mask (rows, columns) of the 8-connected component of `above` with the largest summed activation.

    Components under `smallest` of the area do not count; of equal sums the first in reading order wins.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(above.astype(np.uint8), connectivity=8)
    sums = np.bincount(labels.ravel(), weights=activation.ravel().astype(np.float64), minlength=count)
    sums[0] = -1.0  # label 0 is the background
    sums[stats[:, cv2.CC_STAT_AREA] < smallest * activation.size] = -1.0
    best = int(sums.argmax())
    if sums[best] < 0:
        return None
    ties = np.flatnonzero(sums == sums[best])
    # OpenCV does not promise the order of its labels; the first pixel of each component does not depend on it.
    first = min(ties, key=lambda label: int(np.argmax(labels.ravel() == label)))
    return labels == first


def padded_box(component: np.ndarray, padding: float, least_side: int) -> Box:
    """Return the box of `component`, grown by `padding` of each side, at least `least_side` wide, inside the image."""
    rows, columns = np.flatnonzero(component.any(axis=1)), np.flatnonzero(component.any(axis=0))
    height, width = component.shape
    upper, lower = _span(int(rows[0]), int(rows[-1]) + 1, height, padding, least_side)
    left, right = _span(int(columns[0]), int(columns[-1]) + 1, width, padding, least_side)
    return Box(left, upper, right, lower)


def _span(start: int, end: int, whole: int, padding: float, least: int) -> tuple[int, int]:
    grow = round(padding * (end - start))
    start, end = max(start - grow, 0), min(end + grow, whole)
    lacking = min(least, whole) - (end - start)
    if lacking > 0:
        start = min(max(start - lacking // 2, 0), whole - (end - start) - lacking)
        end = start + min(least, whole)
    return start, end
