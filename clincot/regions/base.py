"""The contract of a proposer: images and hypotheses -> heat maps, batched per image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from PIL.Image import Image


@dataclass(frozen=True)
class HeatMap:
    """Where in an image a hypothesis shows: `values` float32 of any grid (rows, columns), spanning the whole image.

    `confidence` in [0, 1] is the proposer's belief that the hypothesis is present at all.
    """

    hypothesis: str
    values: np.ndarray = field(repr=False)
    confidence: float


class Proposer(Protocol):
    """A model that can look for named findings; `known` lists them (None: anything)."""

    name: str
    key: str
    known: tuple[str, ...] | None

    def heat_maps(self, images: Sequence[Image], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Return, per image, one heat map per hypothesis of that image, in order."""
        ...
