"""The regions that a benchmark knows of an image -> heat maps of the truth: the upper bound of any proposer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from clincot import images
from clincot.chain.hypotheses import GENERAL, ORGANS, entities_in, is_organ
from clincot.errors import DataError
from clincot.records import TrueRegion
from clincot.regions.base import HeatMap, Subject

LARGEST = 1024  # cells a side: exact for images up to that size; a map of 8,000 x 8,000 would take 256 MB
INSIDE = 127  # of a mask's grey values


class Annotated:
    """Boxes and masks of a benchmark; a hypothesis that is not annotated has a flat map and confidence 0."""

    name = "annotated"
    known: tuple[str, ...] | None = None

    def __init__(self, key: str) -> None:
        self.key = key

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None, *, key: str | None = None) -> Annotated:
        """Need no folder: what is known travels with each subject."""
        return cls(key or "annotated")

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Return 1 in the union of all regions that show the hypothesis, 0 outside, with confidence 1 or 0.

        Raises DataError for a region outside its image and for a mask of another size.
        """
        return [[_map(subject, name) for name in wanted] for subject, wanted in zip(subjects, hypotheses, strict=True)]


def shows(finding: str, hypothesis: str) -> bool:
    """Return whether a region annotated as `finding` shows `hypothesis`.

    It does by the same name, by a word for it ("Left Lung": lung; "Liver Cancer": tumor), and any region that is not
    of an organ shows a disease or lesion.
    """
    named, wanted = _plain(finding), _plain(hypothesis)
    entities = entities_in(named)
    if wanted in GENERAL:
        return named == wanted or not is_organ(named)
    if wanted in ORGANS and any(name not in ORGANS for name in entities):
        return False  # "Liver Cancer" is not where the liver is
    return named == wanted or wanted in entities


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


def _map(subject: Subject, hypothesis: str) -> HeatMap:
    regions = [region for region in subject.true_regions if shows(region.finding, hypothesis)]
    width, height = subject.image.size
    values = np.zeros((min(height, LARGEST), min(width, LARGEST)), np.float32)
    for region in regions:
        _paint(values, region, subject)
    return HeatMap(hypothesis, values, 1.0 if regions else 0.0)


def _paint(values: np.ndarray, region: TrueRegion, subject: Subject) -> None:
    where = f"{subject.image_id}: the annotation of {region.finding!r}"
    if region.mask is not None:
        values[_mask(region.mask, values.shape, subject, where)] = 1.0
        return
    (width, height), (rows, columns) = subject.image.size, values.shape
    left, right = max(region.box.left, 0) * columns // width, -(-min(region.box.right, width) * columns // width)
    upper, lower = max(region.box.upper, 0) * rows // height, -(-min(region.box.lower, height) * rows // height)
    if left >= right or upper >= lower:
        size = f"{width}x{height}"
        raise DataError(f"{where} is {tuple(region.box)}, outside its {size} image. Correct the benchmark's boxes.")
    values[upper:lower, left:right] = 1.0


def _mask(data: bytes, shape: tuple[int, ...], subject: Subject, where: str) -> np.ndarray:
    mask = images.decode(data, where).convert("L")
    if mask.size != subject.image.size:
        raise DataError(f"{where} is a mask of {mask.size} for an image of {subject.image.size}. Correct the masks.")
    return np.asarray(mask.resize((shape[1], shape[0]), Image.Resampling.NEAREST)) > INSIDE
