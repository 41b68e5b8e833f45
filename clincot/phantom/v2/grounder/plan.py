"""How much a grounder of version 2 is trained, and how large its network is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GrounderPlan:
    """How much to train: `images` distinct phantoms, `epochs` passes, and the network's widths.

    `lesion_share`: height of a nodule's bump where a distractor's is 1; above 1, nodules come first more often (in .57
    of the images that have one at 1.4).
    """

    images: int = 3000
    held_out: int = 400
    epochs: int = 5
    batch: int = 48
    rate: float = 2e-3
    patch_weight: float = 10.0
    presence_weight: float = 0.2
    lesion_share: float = 1.6
    stem: int = 24
    stages: tuple[int, int, int] = (32, 56, 80)
    width: int = 48


# The worse grounder of the held-out set: a third of the steps, half the width.
WORSE = GrounderPlan(images=1500, epochs=3, stem=16, stages=(24, 40, 56), width=32)
