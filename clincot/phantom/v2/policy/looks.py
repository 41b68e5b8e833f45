"""A layout and a generator -> regions as a chain looks at them: at nodules, at distractors, or anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clincot.phantom.drawing.anatomy import SIZE
from clincot.phantom.v2.objects import Layout, Thing
from clincot.phantom.v2.texts.statements import shown
from clincot.records import Box

SMALLEST, LARGEST = 64, 96  # pixels a side of a crop
AROUND = (1.3, 2.6)  # side of a crop, in diameters of the object
OFF_CENTRE = 0.3  # of the room between the object and the crop's border
ON_LESION, ON_DISTRACTOR = 0.45, 0.35  # of the looks in training; the rest fall anywhere


def around(thing: Thing, rng: np.random.Generator) -> Box:
    """Return a square crop that holds `thing`, not always in the middle."""
    side = int(np.clip(2 * thing.radius * rng.uniform(*AROUND), SMALLEST, LARGEST))
    slack = OFF_CENTRE * max(side - 2 * thing.radius, 0)
    return _square(thing.centre[0] + rng.uniform(-slack, slack), thing.centre[1] + rng.uniform(-slack, slack), side)


def anywhere(layout: Layout, rng: np.random.Generator) -> Box:
    """Return a crop somewhere in the chest, whose side follows the law of the crops around objects."""
    like = around(layout.things[int(rng.integers(len(layout.things)))], rng)
    return _square(rng.uniform(50, 206), rng.uniform(50, 200), like.right - like.left)


def chain_of(layout: Layout, steps: int, rng: np.random.Generator) -> list[Box]:
    """Return the regions of a chain in training, none aimed twice at the same object."""
    lesions = [layout.lesions[i] for i in rng.permutation(len(layout.lesions))]
    others = [layout.distractors[i] for i in rng.permutation(len(layout.distractors))]
    boxes = []
    for _ in range(steps):
        chance = rng.random()
        if chance < ON_LESION and lesions:
            boxes.append(around(lesions.pop(), rng))
        elif chance < ON_LESION + ON_DISTRACTOR and others:
            boxes.append(around(others.pop(), rng))
        else:
            boxes.append(anywhere(layout, rng))
    return boxes


def at_lesions(layout: Layout, steps: int, rng: np.random.Generator) -> list[Box]:
    """Return an oracle's regions: the nodules, the largest first, then others; each step takes one not yet seen."""
    known = [*layout.lesions, *layout.distractors]
    boxes = [around(thing, rng) for thing in known[:steps]]
    return boxes + [anywhere(layout, rng) for _ in range(steps - len(boxes))]


def seen(nodules: Sequence[Thing], boxes: Sequence[Box]) -> tuple[Thing, ...]:
    """Return those of `nodules` that one of `boxes` shows, each once, in their order."""
    inside = {id(thing) for box in boxes for thing in shown(nodules, box)}
    return tuple(thing for thing in nodules if id(thing) in inside)


def _square(x: float, y: float, side: int) -> Box:
    left = int(np.clip(round(x - side / 2), 0, SIZE - side))
    upper = int(np.clip(round(y - side / 2), 0, SIZE - side))
    return Box(left, upper, left + side, upper + side)
