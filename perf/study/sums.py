"""What was asked, and terms of its images -> sums by image; nan marks an image about which nothing was counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clincot.phantom.v2.draw import Radiograph
from clincot.records import Example

Sums = np.ndarray


@dataclass(frozen=True)
class Seen:
    """What was asked: questions in order, images in order, and the place of each question's image."""

    asked: tuple[Example, ...]
    bank: tuple[Radiograph, ...]

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(example.image_id for example in self.asked))

    @property
    def places(self) -> list[int]:
        number = {name: place for place, name in enumerate(self.names)}
        return [number[example.image_id] for example in self.asked]


def summed(seen: Seen, terms: Sequence[tuple[int, Sequence[float]]]) -> Sums | None:
    """Sum (place of the image, terms) by image."""
    if not terms:
        return None
    sums = np.full((len(seen.bank), len(terms[0][1])), np.nan)
    for place, values in terms:
        sums[place] = np.nan_to_num(sums[place]) + values
    return sums


def share(sums: np.ndarray) -> np.ndarray:
    """Return the first term over the second."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = sums[..., 0] / sums[..., 1]
    return found
