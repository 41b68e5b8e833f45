"""A seed and an index -> one phantom radiograph (256 x 256 grey) with the findings drawn into it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from clincot.images import encode_png
from clincot.phantom.drawing.anatomy import SIZE, Anatomy, thorax
from clincot.phantom.drawing.findings import FINDINGS, Finding, paint, place
from clincot.phantom.drawing.layers import body, bones, expose, mediastinum, vessels
from clincot.records import Box

# First index of each split. Models are pre-trained on their own ranges: no published image is ever trained on twice.
RANGES = {
    "train": 0,
    "validation": 1_000_000,
    "test": 2_000_000,
    "policy": 3_000_000,
    "grounder": 4_000_000,
    "judge": 5_000_000,
    "held_out": 6_000_000,
}
NUMBER_OF_FINDINGS = (0.25, 0.5, 0.25)


@dataclass(frozen=True)
class Phantom:
    """One radiograph; `findings` in the order of FINDINGS; `decoys` are boxes where absent findings could have been."""

    seed: int
    index: int
    image: np.ndarray = field(repr=False)
    findings: tuple[Finding, ...]
    decoys: dict[str, Box]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the findings, in the order of FINDINGS."""
        return tuple(finding.name for finding in self.findings)

    def box_of(self, name: str) -> Box:
        """Where to look for `name`: its box, or the decoy of the same size law when it is absent."""
        return next((f.box for f in self.findings if f.name == name), None) or self.decoys[name]


def draw(seed: int, index: int) -> Phantom:
    """Draw the radiograph `index` of the world `seed`; equal arguments give equal pixels (about 10 ms)."""
    rng = np.random.default_rng([seed, index])
    count = int(rng.choice(3, p=NUMBER_OF_FINDINGS))
    chosen = set(rng.choice(FINDINGS, size=count, replace=False).tolist())
    anatomy = thorax(rng, "cardiomegaly" in chosen)
    placed = _place_all(anatomy, chosen, rng)
    findings = tuple(placed[name] for name in FINDINGS if name in chosen)
    image = body(rng, anatomy) + 0.17 * vessels(rng, anatomy) * anatomy.aerated
    late = [f for f in findings if f.name == "effusion"]
    for finding in findings:
        image = image if finding in late else paint(image, finding, anatomy, rng)
    image = mediastinum(rng, anatomy, image)
    for finding in late:  # fluid hides the border of the heart
        image = paint(image, finding, anatomy, rng)
    image = image + rng.uniform(0.06, 0.11) * bones(rng, anatomy)
    decoys = {name: placed[name].box for name in FINDINGS if name not in chosen}
    return Phantom(seed, index, expose(rng, image), findings, decoys)


def _place_all(anatomy: Anatomy, chosen: set[str], rng: np.random.Generator) -> dict[str, Finding]:
    """Place every finding, the large ones first; absent ones become decoys and take no room."""
    free, placed = anatomy.aerated.copy(), {}
    for name in ("cardiomegaly", "effusion", "pneumothorax", "consolidation", "nodule"):
        placed[name] = place(name, anatomy, free, rng)
        if name in chosen:
            free &= ~placed[name].mask
    return placed


def png(phantom: Phantom) -> bytes:
    """Return the radiograph as published: 8-bit grey PNG bytes."""
    return encode_png(Image.fromarray(phantom.image))


def visible(phantom: Phantom, box: Box) -> tuple[str, ...]:
    """Name the findings that the region `box` shows.

    A region shows a finding when it holds half of it, or when a quarter of the region is that finding. The heart's size
    cannot be judged from a part: cardiomegaly needs 60 % of the heart.
    """
    return tuple(f.name for f in phantom.findings if _shows(f, box))


def _shows(finding: Finding, box: Box) -> bool:
    inside = int(finding.mask[box.upper : box.lower, box.left : box.right].sum())
    share = inside / max(int(finding.mask.sum()), 1)
    if finding.name == "cardiomegaly":
        return share >= 0.6
    return share >= 0.5 or inside >= 0.25 * (box.right - box.left) * (box.lower - box.upper)


def region_around(box: Box, rng: np.random.Generator, *, smallest: int = 64, largest: int = 160) -> Box:
    """Return a jittered square region around `box`: its side is 1.1 to 1.8 times the box's, within the limits."""
    longest = max(box.right - box.left, box.lower - box.upper)
    side = int(np.clip(longest * rng.uniform(1.1, 1.8), smallest, largest))
    slack = max(side - longest, 0) / 2 * 0.8
    centre = ((box.left + box.right) / 2, (box.upper + box.lower) / 2)
    return _square(centre[0] + rng.uniform(-slack, slack), centre[1] + rng.uniform(-slack, slack), side)


def random_region(boxes: Iterable[Box], rng: np.random.Generator) -> Box:
    """Return a region somewhere in the thorax whose size follows the law of `boxes`."""
    known = list(boxes)
    like = region_around(known[int(rng.integers(len(known)))], rng)
    return _square(rng.uniform(40, 216), rng.uniform(45, 210), like.right - like.left)


def _square(x: float, y: float, side: int) -> Box:
    left = int(np.clip(round(x - side / 2), 0, SIZE - side))
    upper = int(np.clip(round(y - side / 2), 0, SIZE - side))
    return Box(left, upper, left + side, upper + side)
