"""A layout -> the sharp lines of its distractors, without the part that a 48-pixel view of the image would keep.

A distractor has the soft body of a nodule and, on it, lines that a crop shows: S - P S P^T with P = R+ R, where R is
the bicubic resize from 256 to 48 pixels as a matrix. The global view of S - P S P^T is zero, so only a region can tell
a nodule from what resembles it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from PIL import Image

from clincot.phantom.drawing.anatomy import SIZE
from clincot.phantom.v2.objects import Layout, Thing

VIEW = 48  # pixels a side of the policy's view
AMPLITUDE = 1.0  # of the body's contrast: at .75 a tower of patch 8 tells the kinds apart with AUC .68, at 1 with .98
LEAST = 0.2  # contrast from which a dim distractor's lines are drawn, so that they survive the noise
FRACTION = 4  # bits of a pixel's fraction in OpenCV's line coordinates
Canvas = np.ndarray


@cache
def _kept() -> np.ndarray:
    """P: the projection onto what the small view keeps of a row, (256, 256)."""
    identity = Image.fromarray(np.eye(SIZE, dtype=np.float32))
    resize = np.asarray(identity.resize((SIZE, VIEW), Image.Resampling.BICUBIC), np.float64)
    kept: np.ndarray = (np.linalg.pinv(resize) @ resize).astype(np.float32)
    return kept


def unseen(layer: np.ndarray) -> np.ndarray:
    """Remove from `layer` (256, 256) what its 48-pixel view would show."""
    kept = _kept()
    rest: np.ndarray = layer - kept @ layer @ kept.T
    return rest


def fine_layer(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    """Draw the lines of every distractor of `layout`; float32 greys to add to the image."""
    layer = np.zeros((SIZE, SIZE), np.float32)
    for thing in layout.things:
        if not thing.lesion:
            bright, dark = np.zeros((2, SIZE, SIZE), np.uint8)
            LINES[thing.kind](bright, dark, thing, rng)
            strength = AMPLITUDE * max(thing.contrast, LEAST) / 255
            layer += strength * (bright.astype(np.float32) - dark.astype(np.float32))
    return unseen(cv2.GaussianBlur(layer, (0, 0), 0.5))


def _curve(canvas: Canvas, points: np.ndarray, shade: float, thickness: int = 1) -> None:
    """Draw a line through `points` (n, 2) as x, y in fractions of pixels."""
    whole = np.round(points * 2**FRACTION).astype(np.int32)
    cv2.polylines(canvas, [whole], False, int(shade), thickness, cv2.LINE_AA, FRACTION)


def _arcs(canvas: Canvas, thing: Thing, radius: float, rng: np.random.Generator, shade: float = 255) -> None:
    """Draw a broken, uneven ring about the thing's centre: two or three arcs with gaps of uneven brightness."""
    pieces = int(rng.integers(2, 4))
    start = rng.uniform(0, 2 * np.pi)
    for piece in range(pieces):
        first = start + piece * 2 * np.pi / pieces
        angles = first + np.linspace(0, rng.uniform(0.55, 0.9) * 2 * np.pi / pieces, 14)
        reach = radius * (1 + 0.08 * np.sin(2 * angles + thing.waves[0]) + rng.uniform(-0.06, 0.06))
        points = np.stack([np.cos(angles) * reach, np.sin(angles) * reach], 1) + thing.centre
        _curve(canvas, points, shade * rng.uniform(0.75, 1.0))


def _vessel(bright: Canvas, dark: Canvas, thing: Thing, rng: np.random.Generator) -> None:
    """A vessel on end: a bright core off the centre, and the wall of its bronchus with a dark hole."""
    turn = rng.uniform(0, 2 * np.pi)
    towards = np.array([np.cos(turn), np.sin(turn)])
    core = np.array(thing.centre) + towards * thing.radius * 0.35
    hole = np.array(thing.centre) - towards * thing.radius * 0.45
    for canvas, spot, size in ((bright, core, 1.4), (dark, hole, 1.6)):
        x, y = np.round(spot * 2**FRACTION).astype(int).tolist()
        inner = int(min(size + 0.06 * thing.radius, 2.4) * 2**FRACTION)
        cv2.circle(canvas, (x, y), inner, 255, -1, cv2.LINE_AA, FRACTION)
    angles = turn + np.pi + np.linspace(-2.2, 2.2, 18)
    reach = max(2.8, 0.42 * thing.radius) * (1 + 0.1 * np.sin(2 * angles + thing.waves[1]))
    _curve(bright, np.stack([np.cos(angles) * reach, np.sin(angles) * reach], 1) + hole, 230)


def _rib(bright: Canvas, dark: Canvas, thing: Thing, rng: np.random.Generator) -> None:
    """Two bones that cross: two pairs of curved edges."""
    first = rng.uniform(0, np.pi)
    for turn in (first, first + rng.uniform(0.7, 1.3)):
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        bend, width = rng.uniform(-0.18, 0.18), rng.uniform(1.6, 2.2)
        reach = thing.radius * rng.uniform(1.1, 1.4) + 2
        steps = np.linspace(-1, 1, 12)[:, None]
        line = thing.centre + steps * reach * along + bend * reach * steps**2 * across
        _curve(bright, line - width * across, 255)
        _curve(bright, line + width * across, 200)
        _curve(dark, line, 170)


def _nipple(bright: Canvas, dark: Canvas, thing: Thing, rng: np.random.Generator) -> None:
    """A nipple: a sharp broken rim with a dark halo outside."""
    _arcs(bright, thing, thing.radius, rng)
    _arcs(dark, thing, thing.radius + 2.2, rng, 220)
    if thing.radius > 6:
        _arcs(bright, thing, thing.radius * 0.5, rng, 150)


def _fold(bright: Canvas, dark: Canvas, thing: Thing, rng: np.random.Generator) -> None:
    """A skin fold: a curved bright line with a dark one next to it, and a tail that leaves the body."""
    turn = rng.uniform(0, 2 * np.pi)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    steps = np.linspace(-1.0, rng.uniform(1.5, 2.0), 16)[:, None]
    bend, wave = rng.choice([-1, 1]) * rng.uniform(0.25, 0.5), rng.uniform(0, 6.3)
    reach = thing.radius + 2
    line = thing.centre + reach * (steps * along + (bend * (steps**2 - 0.5) + 0.08 * np.sin(4 * steps + wave)) * across)
    for offset, canvas, shade in ((0.0, bright, 255), (2.2, dark, 230), (-2.4, dark, 160)):
        _curve(canvas, line + offset * across, shade)


LINES: dict[str, Callable[[Canvas, Canvas, Thing, np.random.Generator], None]] = {
    "vessel": _vessel,
    "rib": _rib,
    "nipple": _nipple,
    "fold": _fold,
}
