"""How much the grounder is trained: images, passes, step sizes and weights of its losses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GrounderPlan:
    """How much to train: `images` distinct phantoms, `epochs` passes (about 5 minutes on one core)."""

    images: int = 5000
    held_out: int = 1000
    epochs: int = 4
    batch: int = 48
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    map_weight: float = 0.5
    patch_weight: float = 10.0
