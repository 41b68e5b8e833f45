"""A seed and an index -> what one image of version 2 holds: nodules and the distractors that resemble them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from clincot.phantom.drawing.anatomy import COLUMNS, ROWS, SIDES, ZONES, Anatomy, thorax
from clincot.phantom.drawing.draw import RANGES as FIRST_RANGES
from clincot.records import Box

# First index of each split, as in version 1, and ranges for the models that only version 2 has.
RANGES = {**FIRST_RANGES, "critic": 7_000_000, "similarity": 8_000_000}
LESION = "nodule"
DISTRACTORS = ("vessel", "rib", "nipple", "fold")  # vessel on end, rib crossing, nipple, skin fold
KINDS = (LESION, *DISTRACTORS)
NUMBER_OF_LESIONS = (0.20, 0.25, 0.25, 0.20, 0.10)  # 0 to 4
FEWEST_DISTRACTORS, MOST_DISTRACTORS = 2, 5
RADIUS = (3.0, 14.0)  # pixels of 256, log-uniform
CONTRAST = (0.08, 0.30)  # of the grey range, independent of the radius
BANDS = (("small", 5.0), ("medium", 8.4), ("large", math.inf))  # thirds of the radius law
GAP = 26.0  # pixels between the rims of two objects: 1 % of crops of 64 pixels hold both classes (6 pixels: 23 %)
STREAM = 2  # keeps version 2's random numbers apart from version 1's
STEP = 2  # pixels between the places that are tried
ATTEMPTS = 8
EDGE = 2.0  # pixels between an object's rim and the border of the aerated lung
ZONE_MARGIN = 4.0  # rows between an object's centre and a neighbouring zone


@dataclass(frozen=True)
class Thing:
    """One object of an image.

    `kind` is one of KINDS; `side` ("left", "right": the patient's) and `zone` hold its `centre` (x, y); `radius` in
    pixels of 256; `contrast` of its soft body, in shares of the grey range; `waves` shape its ragged outline.
    """

    kind: str
    side: str
    zone: str
    centre: tuple[float, float]
    radius: float
    contrast: float
    waves: tuple[float, float, float] = field(repr=False)

    @property
    def lesion(self) -> bool:
        """Whether this is a nodule."""
        return self.kind == LESION

    @property
    def band(self) -> str:
        """Its size in words: small, medium or large."""
        return next(name for name, limit in BANDS if self.radius < limit)

    @property
    def quintile(self) -> int:
        """Fifth of the radius law, 0 (smallest) to 4."""
        return min(4, int(5 * math.log(self.radius / RADIUS[0]) / math.log(RADIUS[1] / RADIUS[0])))

    @property
    def box(self) -> Box:
        """Pixels that hold it, half-open; the same law for lesions and distractors."""
        x, y = self.centre
        left, upper = math.floor(x - self.radius), math.floor(y - self.radius)
        return Box(left, upper, math.ceil(x + self.radius) + 1, math.ceil(y + self.radius) + 1)

    def mask(self) -> np.ndarray:
        """Its ragged disc, boolean, 256 x 256."""
        across, down = COLUMNS - self.centre[0], ROWS - self.centre[1]
        angle = np.arctan2(down, across)
        ragged = sum(0.05 * np.sin(wave * angle + turn) for wave, turn in zip((2, 3, 5), self.waves, strict=True))
        inside: np.ndarray = np.hypot(across, down) < self.radius * (1 + ragged)
        return inside


@dataclass(frozen=True)
class Layout:
    """What image `index` of world `seed` holds, before it is drawn; lesions and distractors are in random order."""

    seed: int
    index: int
    anatomy: Anatomy = field(repr=False)
    things: tuple[Thing, ...]

    @property
    def lesions(self) -> tuple[Thing, ...]:
        """The nodules, the largest first."""
        return tuple(sorted((t for t in self.things if t.lesion), key=lambda t: -t.radius))

    @property
    def distractors(self) -> tuple[Thing, ...]:
        """What resembles a nodule in a small view, the largest first."""
        return tuple(sorted((t for t in self.things if not t.lesion), key=lambda t: -t.radius))


def objects(seed: int, index: int, *, contrast: float = 1.0) -> Layout:
    """Lay out image `index` of world `seed` without drawing it (about 2 ms); equal arguments give equal layouts.

    Args:
        seed: The world.
        index: The image; RANGES says which split it belongs to.
        contrast: Factor of every object's contrast; 0.8 gives the dimmer held-out set.
    """
    rng = np.random.default_rng([seed, index, STREAM])
    anatomy = thorax(rng, False)
    lesions = int(rng.choice(len(NUMBER_OF_LESIONS), p=NUMBER_OF_LESIONS))
    others = int(rng.integers(FEWEST_DISTRACTORS, MOST_DISTRACTORS + 1))
    kinds = [LESION] * lesions + [DISTRACTORS[i] for i in rng.integers(len(DISTRACTORS), size=others)]
    things: tuple[Thing, ...] | None = None
    while things is None:  # where nine objects find no room, the last distractor goes
        for _ in range(ATTEMPTS):
            things = things or _place(kinds, anatomy, contrast, rng)
        kinds = kinds[:-1]
    return Layout(seed, index, anatomy, things)


def _place(kinds: list[str], anatomy: Anatomy, factor: float, rng: np.random.Generator) -> tuple[Thing, ...] | None:
    """Place objects in random order, so that a nodule's place follows the same law as a distractor's; None: no room."""
    room = cv2.distanceTransform(anatomy.aerated.astype(np.uint8), cv2.DIST_L2, 3)[::STEP, ::STEP]
    zones = _zones(anatomy)
    things: list[Thing] = []
    for kind in rng.permutation(kinds):
        radius = RADIUS[0] * (RADIUS[1] / RADIUS[0]) ** rng.random()
        free = room > radius + EDGE
        for other in things:
            away = np.hypot(COLUMNS[::STEP, ::STEP] - other.centre[0], ROWS[::STEP, ::STEP] - other.centre[1])
            free &= away > radius + other.radius + GAP + STEP
        open_zones = [name for name, cells in zones.items() if (cells & free).any()]
        if not open_zones:
            return None
        side, zone = open_zones[int(rng.integers(len(open_zones)))]
        spots = np.argwhere(zones[side, zone] & free)
        row, column = spots[int(rng.integers(len(spots)))] * STEP + rng.uniform(0, 1, 2)
        bright, waves = factor * rng.uniform(*CONTRAST), rng.uniform(0, 6.3, 3)
        things.append(
            Thing(
                str(kind), side, zone, (float(column), float(row)), float(radius), float(bright), tuple(waves.tolist())
            )
        )
    return tuple(things)


def _zones(anatomy: Anatomy) -> dict[tuple[str, str], np.ndarray]:
    """The coarse cells of each (side, zone), away from the neighbouring zones."""
    rows = ROWS[::STEP, ::STEP]
    cells = {}
    for side in SIDES:
        lung = anatomy.lungs[side]
        for zone in ZONES:
            first, last = lung.rows(zone, ZONE_MARGIN)
            cells[side, zone] = lung.mask[::STEP, ::STEP] & (rows >= first) & (rows < last)
    return cells
