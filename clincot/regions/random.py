"""An image's name and a hypothesis -> a box anywhere, the same at every call: the floor of a pointing game."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clincot.regions._drawn import box_map
from clincot.regions.base import HeatMap, Subject

SIDES = (0.2, 0.6)  # of the image's sides: from a lobe to most of a lung


class Random:
    """A box of random sides at a random place, drawn from (key, image id, hypothesis) alone."""

    name = "random"
    known: tuple[str, ...] | None = None

    def __init__(self, key: str) -> None:
        self.key = key

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None, *, key: str | None = None) -> Random:
        """Need no folder; another `key` gives other boxes."""
        return cls(key or f"random-{SIDES[0]}-{SIDES[1]}")

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Return a box per hypothesis, with confidence 0.5; neither batch nor order changes it."""
        return [
            [self._box(subject.image_id, name) for name in wanted]
            for subject, wanted in zip(subjects, hypotheses, strict=True)
        ]

    def _box(self, image_id: str, name: str) -> HeatMap:
        digest = hashlib.sha256(repr((self.key, image_id, name)).encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        width, height = rng.uniform(*SIDES, size=2)
        left, upper = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        return box_map(name, left, upper, left + width, upper + height)
