"""What an image holds and a generator -> the objects that a careless report calls nodules: too few and too many.

The two-sided fault of the policy's training texts, in the manner of `docs/decisions/0006`. Underreporting: a nodule is
mentioned the more seldom, the smaller it is. Invention: a distractor is called a nodule, each kind equally often. So
no constant added to a sentence undoes it: what makes the small nodules mentioned makes the distractors mentioned.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clincot.phantom.v2.objects import Layout, Thing

MENTIONED = (0.25, 0.40, 0.75, 0.85, 0.90)  # chance of a nodule, by the fifth of the law of radii
INVENTED = 0.40  # chance of a distractor of any kind and size
Teller = Callable[[Layout, np.random.Generator], tuple[Thing, ...]]


def told(layout: Layout, rng: np.random.Generator) -> tuple[Thing, ...]:
    """Return what one report of the image calls nodules, the largest first."""
    chosen = [thing for thing in layout.things if rng.random() < chance(thing)]
    return tuple(sorted(chosen, key=lambda thing: -thing.radius))


def all_told(layout: Layout, rng: np.random.Generator) -> tuple[Thing, ...]:
    """Return what a careful report calls nodules: the nodules, the largest first."""
    return layout.lesions


def chance(thing: Thing) -> float:
    """Return how often a report calls `thing` a nodule."""
    return MENTIONED[thing.quintile] if thing.lesion else INVENTED
