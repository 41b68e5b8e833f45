"""Answers by region, and lesions whose place is known -> a figure of detection by size, contrast and detectability.

Detectability is contrast x diameter: by Rose's model the signal-to-noise ratio of a disc grows as their product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clincot import images
from clincot.images.true_regions import shown_regions
from clincot.metrics.findings.labeler import positives
from clincot.records import Box, Example
from clincot.report.figures.charts import Series, line_chart
from clincot.report.figures.drawing import Drawing
from clincot.report.figures.figure import Cell, Figure, Missing, Section
from clincot.report.run.findings import labels_of
from clincot.stages.evaluate import Prediction

TITLE = "Gain against the detectability of lesions"
HEART = {"Cardiomegaly", "Enlarged Cardiomediastinum"}  # their regions show an organ, not a lesion
BINS, FEWEST = 4, 3  # lesions of a bin at least
RESAMPLES = 1000


@dataclass(frozen=True)
class Lesion:
    """A lesion: `size` is its diameter in pixels, `contrast` in [0, 1] its mean grey against a rim around it.

    `found` is, by policy, the share of chains that state it after they looked at it.
    """

    image_id: str
    finding: str
    box: Box
    size: float
    contrast: float
    found: Mapping[str, float]

    @property
    def detectability(self) -> float:
        return self.size * self.contrast


VALUES: dict[str, Callable[[Lesion], float]] = {
    "contrast x diameter": lambda one: one.detectability,
    "diameter (pixels)": lambda one: one.size,
    "contrast": lambda one: one.contrast,
}


def lesions_figure(predictions: Sequence[Prediction], examples: Mapping[str, Example]) -> Section:
    """Draw the share of lesions that chains state, and its gain over the first policy, by size and contrast."""
    lesions = lesions_of(predictions, examples)
    policies = list(dict.fromkeys(name for lesion in lesions for name in lesion.found))
    lesions = [lesion for lesion in lesions if len(lesion.found) == len(policies)]
    if len(lesions) < 2 * FEWEST:
        return Missing(TITLE, f"Only {len(lesions)} lesions with a known region were looked at by every policy.")
    panels = [_shares(name, value, lesions, policies) for name, value in VALUES.items()]
    if len(policies) > 1:
        panels.insert(1, _gain(lesions, policies[0], policies[-1]))
    notes = (
        f"{len(lesions)} lesions. A chain that looks for a finding at a box over the lesion detects it where it states"
        " the finding. Bins hold equally many lesions; 95 % intervals over lesions.",
        "Contrast: mean grey of the region against a rim around it, in shares of the grey range.",
    )
    header = ("image", "finding", "diameter", "contrast", "detectability", *policies)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.image_id, one.finding, one.size, one.contrast, one.detectability, *(one.found[p] for p in policies))
        for one in lesions
    )
    return Figure("lesions", TITLE, notes, tuple(panels), header, rows)


def lesions_of(predictions: Sequence[Prediction], examples: Mapping[str, Example]) -> list[Lesion]:
    """Return the lesions of the answered images that any policy looked at."""
    of_image: dict[str, Example] = {example.image_id: example for example in examples.values()}
    answers: dict[str, list[Prediction]] = {}
    for p in predictions:
        if not p.control and p.findings and p.image_id in of_image:
            answers.setdefault(p.image_id, []).append(p)
    found = []
    for image_id, some in answers.items():
        regions = [r for r in shown_regions(of_image[image_id]) if labels_of(r.finding) - HEART]
        grey = _grey(of_image[image_id]) if regions else None
        for region in regions:
            shares = _found(some, region.box, labels_of(region.finding))
            if shares and grey is not None:
                size = math.sqrt((region.box.right - region.box.left) * (region.box.lower - region.box.upper))
                contrast = contrast_of(grey, region.box)
                found.append(Lesion(image_id, region.finding, region.box, size, contrast, shares))
    return found


def contrast_of(grey: np.ndarray, box: Box) -> float:
    """Return |mean inside - mean of a rim of half the box's size around it|; `grey` (rows, columns) is in [0, 1]."""
    rim_x, rim_y = (max(2, (end - start) // 2) for start, end in ((box.left, box.right), (box.upper, box.lower)))
    rim = np.zeros(grey.shape, bool)
    rim[max(0, box.upper - rim_y) : box.lower + rim_y, max(0, box.left - rim_x) : box.right + rim_x] = True
    inside = grey[box.upper : box.lower, box.left : box.right]
    rim[box.upper : box.lower, box.left : box.right] = False
    return float(abs(inside.mean() - grey[rim].mean())) if rim.any() and inside.size else 0.0


def _grey(example: Example) -> np.ndarray:
    return np.asarray(images.decode(example.encoded(0), example.label_of(0)).convert("L"), np.float32) / 255


def _found(some: Sequence[Prediction], box: Box, labels: frozenset[str]) -> dict[str, float]:
    said: dict[str, list[bool]] = {}
    x, y = (box.left + box.right) / 2, (box.upper + box.lower) / 2
    for p in some:
        for text, looked in zip(p.findings, p.regions, strict=False):
            over = looked.box.left <= x < looked.box.right and looked.box.upper <= y < looked.box.lower
            if over and labels_of(looked.hypothesis) & labels:
                said.setdefault(p.policy, []).append(bool(positives(text) & labels))
    return {policy: sum(values) / len(values) for policy, values in said.items()}


def _shares(name: str, value: Callable[[Lesion], float], lesions: Sequence[Lesion], policies: Sequence[str]) -> Drawing:
    groups = _groups(lesions, value)
    series = [_series(policy, groups, lambda one, policy=policy: one.found[policy]) for policy in policies]  # type: ignore[misc]
    return line_chart(f"lesions stated, by {name}", series, (name, "percent"))


def _gain(lesions: Sequence[Lesion], first: str, last: str) -> Drawing:
    groups = _groups(lesions, lambda one: one.detectability)
    series = _series("gain", groups, lambda one: one.found[last] - one.found[first])
    return line_chart(f"{last} - {first}", [series], ("contrast x diameter", "points"))


def _groups(lesions: Sequence[Lesion], value: Callable[[Lesion], float]) -> list[tuple[float, Sequence[Lesion]]]:
    """Return bins of equally many lesions with the median of their values, fewer bins for few lesions."""
    ordered = sorted(lesions, key=value)
    bins = max(1, min(BINS, len(ordered) // FEWEST))
    parts = [ordered[len(ordered) * i // bins : len(ordered) * (i + 1) // bins] for i in range(bins)]
    return [(float(np.median([value(one) for one in part])), part) for part in parts]


def _series(name: str, groups: Sequence[tuple[float, Sequence[Lesion]]], share: Callable[[Lesion], float]) -> Series:
    points, intervals = [], []
    for place, part in groups:
        values = 100 * np.asarray([share(one) for one in part])
        draws = np.random.default_rng(0).choice(values, (RESAMPLES, len(values))).mean(1)
        low, high = np.percentile(draws, [2.5, 97.5])
        points.append((place, float(values.mean())))
        intervals.append((float(low), float(high)))
    return Series(name, tuple(points), tuple(intervals))
