"""The log-odds of a result -> sums by image of what the policy believes of regions: area, calibration, detection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from study.results import Result, objects_of
from study.sums import Seen, Sums, summed

BINS = 48  # of log-odds, for an area under a curve that sums over images
BELIEFS = 10  # classes of probability, for calibration
QUARTERS = 4  # classes of how easily a nodule is seen


def step_area(result: Result, seen: Seen) -> Sums | None:
    """Return histograms of the log-odds of regions with a nodule, and of those without."""
    return histograms(result.log_odds, objects_of(seen.bank), seen) if result.odds else None


def histograms(odds: np.ndarray, objects: Sequence[tuple[int, Any]], seen: Seen) -> Sums | None:
    """Count log-odds of nodules and of distractors by image, in bins that hold equally many."""
    places = np.searchsorted(np.quantile(odds, np.linspace(0, 1, BINS + 1)[1:-1]), odds)
    terms = []
    for (image, thing), place in zip(objects, places, strict=True):
        own = np.zeros(2 * BINS)
        own[place + (0 if thing.lesion else BINS)] = 1
        terms.append((image, own))
    return summed(seen, terms)


def area(sums: np.ndarray) -> np.ndarray:
    """Return the area under the curve of two histograms; equal bins count one half."""
    high, low = sums[..., :BINS], sums[..., BINS:]
    below = np.cumsum(low, axis=-1) - low
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = (high * (below + low / 2)).sum(-1) / (high.sum(-1) * low.sum(-1))
    return found


def beliefs(result: Result, seen: Seen) -> Sums | None:
    """Return, by class of the probability of a nodule: its sum, the regions with a nodule, and all regions."""
    if not result.odds:
        return None
    chance = 1 / (1 + np.exp(-result.log_odds))
    terms = []
    for (image, thing), belief in zip(objects_of(seen.bank), chance, strict=True):
        own = np.zeros((3, BELIEFS))
        own[:, min(int(BELIEFS * belief), BELIEFS - 1)] = belief, thing.lesion, 1
        terms.append((image, own.ravel()))
    return summed(seen, terms)


def calibration_error(sums: np.ndarray) -> np.ndarray:
    """Return the mean distance between the probability and how often it is right, over all regions."""
    said, true, count = (sums[..., i * BELIEFS : (i + 1) * BELIEFS] for i in range(3))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = np.abs(said - true).sum(-1) / count.sum(-1)
    return found


def mentioned(quarter: int, result: Result, seen: Seen) -> Sums | None:
    """Return nodules that the finding of their region names, and all, of a quarter of how easily they are seen."""
    if not result.odds:
        return None
    known = [(image, thing, odds) for (image, thing), odds in zip(objects_of(seen.bank), result.log_odds, strict=True)]
    lesions = [(image, thing.radius * thing.contrast, odds > 0) for image, thing, odds in known if thing.lesion]
    if not lesions:
        return None
    edges = np.quantile([ease for _, ease, _ in lesions], np.linspace(0, 1, QUARTERS + 1)[1:-1])
    own = [(i, np.array([named, 1.0])) for i, ease, named in lesions if int(np.searchsorted(edges, ease)) == quarter]
    return summed(seen, own)
