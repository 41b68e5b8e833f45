"""An image and a heat map -> the region where the hypothesis shows, or None (Eq. 1).

A_p = heat map, upsampled and scaled to [0, 1]; M_p = one connected component of 1[A_p >= level], where level is mean +
threshold * std of A_p or one of its quantiles; r_p = crop of M_p * x_v + (1 - M_p) * white. The numbers are ours
(docs/methods.md#eq-1-region), blur as in MMedPO. A map of two values is a mask, drawn and not estimated: it is taken as
it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

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
    """Return the strongest connected component of `heat_map` on `image` (RGB); None for a map without one."""
    return next(iter(find_regions(image, heat_map, replace(settings, per_hypothesis=1))), None)


def find_regions(image: Image.Image, heat_map: HeatMap, settings: recipe.Regions) -> tuple[Region, ...]:
    """Return the `settings.per_hypothesis` strongest connected components of `heat_map` on `image` (RGB).

    Fewer, or none, when the map is constant or few components cover `settings.smallest` of the image. Blur, level and
    `smallest` are against noise and do not touch a mask: mean + std of one that covers half of the image is more than
    1. A component whose box is that of a stronger one is left out: a place has one region. Raises RecipeError for a
    blur that is not odd and a quantile outside [0, 1].
    """
    found: dict[Box, Region] = {}
    for component in _components(image, heat_map, settings):
        box = padded_box(component, settings.padding, settings.least_side)
        if box not in found:
            mask = mask_of(image, component, box) if settings.crop == "masked" else None
            found[box] = Region(heat_map.hypothesis, box, heat_map.confidence, mask)
        if len(found) == settings.per_hypothesis:
            break
    return tuple(found.values())


def _components(image: Image.Image, heat_map: HeatMap, settings: recipe.Regions) -> Iterator[np.ndarray]:
    if is_mask(heat_map.values):
        yield from mask_components(heat_map.values, image.size)
        return
    activation = activation_map(heat_map.values, image.size, settings.blur)
    if activation is not None:
        yield from components(activation, above_level(activation, settings), settings.smallest)


def is_mask(values: np.ndarray) -> bool:
    """Return whether a map holds two values and no others, all of them finite."""
    low, high = values.min(), values.max()
    return bool(low < high and np.isfinite(values).all() and ((values == low) | (values == high)).all())


def mask_components(values: np.ndarray, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield the components of the upper of two values, at `size` (width, height), the largest first.

    Bool (rows, columns); none when no pixel centre of a small image falls on any.
    """
    raised = (values == values.max()).astype(np.float32)
    whole = cv2.resize(raised, size, interpolation=cv2.INTER_NEAREST_EXACT)
    yield from components(whole, whole > 0, 0.0)


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


def components(activation: np.ndarray, above: np.ndarray, smallest: float) -> Iterator[np.ndarray]:
    """Yield the masks (rows, columns) of the 8-connected components of `above`, by their summed activation, falling.

    Components under `smallest` of the area do not count; of equal sums the first in reading order comes first.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(above.astype(np.uint8), connectivity=8)
    sums = np.bincount(labels.ravel(), weights=activation.ravel().astype(np.float64), minlength=count)
    large = stats[:, cv2.CC_STAT_AREA] >= smallest * activation.size
    large[0] = False  # label 0 is the background

    def first_pixel(label: int) -> tuple[int, int]:
        # OpenCV does not promise the order of its labels; the first pixel of each component does not depend on it.
        top = int(stats[label, cv2.CC_STAT_TOP])
        return top, int(np.argmax(labels[top] == label))

    strongest = sorted(map(int, np.flatnonzero(large)), key=lambda label: -sums[label])
    for _, equal in groupby(strongest, key=lambda label: sums[label]):
        for label in sorted(equal, key=first_pixel):
            yield labels == label


def padded_box(component: np.ndarray, padding: float, least_side: int) -> Box:
    """Return the box of `component`, grown by `padding` of each side, at least `least_side` wide, inside the image."""
    rows, columns = np.flatnonzero(component.any(axis=1)), np.flatnonzero(component.any(axis=0))
    height, width = component.shape
    held = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return grown(held, (width, height), padding, least_side)


def grown(box: Box, size: tuple[int, int], padding: float, least_side: int) -> Box:
    """Return `box` grown in the same way in an image of `size` (width, height)."""
    left, right = _span(box.left, box.right, size[0], padding, least_side)
    upper, lower = _span(box.upper, box.lower, size[1], padding, least_side)
    return Box(left, upper, right, lower)


def _span(start: int, end: int, whole: int, padding: float, least: int) -> tuple[int, int]:
    grow = round(padding * (end - start))
    start, end = max(start - grow, 0), min(end + grow, whole)
    lacking = min(least, whole) - (end - start)
    if lacking > 0:
        start = min(max(start - lacking // 2, 0), whole - (end - start) - lacking)
        end = start + min(least, whole)
    return start, end
