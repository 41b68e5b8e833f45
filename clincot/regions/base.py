"""The contract of a proposer: subjects and hypotheses -> heat maps, batched per image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from PIL.Image import Image

from clincot.records import TrueRegion


@dataclass(frozen=True)
class Subject:
    """An image to look at; `true_regions` is what its benchmark knows, for the `annotated` proposer alone.

    They are in pixels of `image` (`clincot.images.true_regions.shown_regions`).
    """

    image_id: str
    image: Image = field(repr=False)
    true_regions: tuple[TrueRegion, ...] = ()


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

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Return, per subject, one heat map per hypothesis of it, in order."""
        ...


@runtime_checkable
class Matching(Protocol):
    """A model of images and texts with one score for both."""

    def similarity(self, images: Sequence[Image], texts: Sequence[str]) -> list[float]:
        """Return, for each image and the text at its place, how well they match: higher is better."""
        ...
