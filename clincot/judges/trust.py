"""A judge's ratings of right and of wrong answers -> what says whether its scores can be trusted, and a warning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

import numpy as np

from clincot.judges._masses import LEAST_MEDIAN
from clincot.judges.base import Rating
from clincot.judges.scoring import TOP, mode_of
from clincot.recipe.parts import SCORINGS

NEAR = 0.05  # ratings this close are a tie: `method.min_gap` of the recipes lets no pair of them in
MOST_TIES = 0.9
LEAST_AUC = 0.6  # of 10 right and 10 wrong answers, a judge that guesses lies above it in 22 of 100 builds


@dataclass(frozen=True)
class Trust:
    """Figures of one judge in one way of asking; those that no rating supports are None.

    `mass`: the median. `failures`: the share of ratings that cannot be read; the rest is about the others. `ties`: the
    share of (right, wrong) pairs within NEAR. `auc`: the share of them in which the right answer has more, equal
    ratings counting half; `interval` holds 95 % of its resamples. `digit` is the commonest and `share` its part.
    """

    rated: int
    mass: float
    failures: float
    ties: float | None = None
    auc: float | None = None
    interval: tuple[float, float] | None = None
    mean: float | None = None
    digit: int | None = None
    share: float | None = None

    @property
    def line(self) -> str:
        """Return the figures in words."""
        if self.auc is None or self.ties is None or self.mean is None or self.share is None:
            return f"mass {self.mass:.3f}, {self.failures:.0%} cannot be read"
        failed = f", {self.failures:.0%} cannot be read" if self.failures else ""
        return (
            f"mass {self.mass:.3f}, AUC {self.auc:.2f} right against wrong, ties {self.ties:.0%}, mean {self.mean:.2f},"
            f" {self.digit} in {self.share:.0%}{failed}"
        )


def trust(
    right: Sequence[Rating],
    wrong: Sequence[Rating],
    images: Sequence[str],
    *,
    resamples: int = 0,
    seed: int = 0,
    paired: bool = False,
) -> Trust:
    """Return the figures of ratings of questions: `right[i]` and `wrong[i]` are about one of the image `images[i]`.

    `paired` compares them within a question alone, else every right one with every wrong one. The interval draws
    images, `resamples` times (0: no interval). Prompts that are too long are left out.
    """
    read = [rating for rating in (*right, *wrong) if not rating.too_long]
    known = [rating.value for rating in read if rating.value is not None]
    mass = median(rating.mass for rating in read) if read else 0.0
    failures = 1 - len(known) / len(read) if read else 0.0
    compared = _within(right, wrong, images) if paired else _across(right, wrong, images)
    if compared is None:
        return Trust(len(read), mass, failures)
    gaps, first, second = compared
    above = (gaps > 0) + 0.5 * (gaps == 0)
    (digit, times), *_ = Counter(round(TOP * value) for value in known).most_common(1)
    return Trust(
        rated=len(read),
        mass=mass,
        failures=failures,
        ties=float((np.abs(gaps) <= NEAR + 1e-9).mean()),
        auc=float(above.mean()),
        interval=_interval(above, first, second, resamples, seed) if resamples else None,
        mean=mean(known),
        digit=digit,
        share=times / len(known),
    )


Compared = tuple[np.ndarray, list[str], list[str]]  # gaps of right minus wrong ratings, the images of their two axes


def _across(right: Sequence[Rating], wrong: Sequence[Rating], images: Sequence[str]) -> Compared | None:
    """Return the gaps of every right (row) and every wrong rating (column); None without one of each."""
    a, b = _known(right, images), _known(wrong, images)
    gaps = np.subtract.outer(np.array([value for value, _ in a]), np.array([value for value, _ in b]))
    return (gaps, [image for _, image in a], [image for _, image in b]) if gaps.size else None


def _within(right: Sequence[Rating], wrong: Sequence[Rating], images: Sequence[str]) -> Compared | None:
    """Return the gap of each question of which both ratings were read (one column of no image); None without any."""
    both = zip(right, wrong, images, strict=True)
    read = [(a.value - b.value, image) for a, b, image in both if a.value is not None and b.value is not None]
    return (np.array([[gap] for gap, _ in read]), [image for _, image in read], [""]) if read else None


def warning(name: str, found: Trust, *, scoring: str, blind: bool, sees: bool = False) -> str | None:
    """Return what is wrong with the judge called `name` and what to do, None where nothing shows; one thing at a time.

    `blind`: it was shown neither a reference nor an image. `sees`: it sees images, so it may rate findings of crops
    well and answers badly; only answers were tried.
    """
    if not found.rated:
        return None
    other = " or ".join(mode for mode in SCORINGS if mode != scoring)
    prefill = f'build.judging.prefill="{"Answer" if scoring == "yesno" else "Rating"}: "'
    unread, unsure = _unread(found, scoring, other, prefill), _unsure(found, blind, other, prefill)
    if unread is None and unsure is not None and sees:
        return (
            f"WARNING: judge {name}: {unsure[0]}. Its scores of answers say little; how it rates findings of a crop was"
            f" not tried: `clincot judges check {name} --findings` does, on a benchmark that knows regions."
        )
    if (wrong := unread or unsure) is None:
        return None
    return (
        f"WARNING: judge {name}: {wrong[0]}. Its scores say little. Stop the build, and {wrong[1]}, or choose another"
        f" judge: `clincot judges check {name}` compares the ways of asking."
    )


def _unread(found: Trust, scoring: str, other: str, prefill: str) -> tuple[str, str] | None:
    """Return the fault of replies that are no ratings, and what to do; None where they are."""
    if mode_of(scoring).replies and found.mass < LEAST_MEDIAN:
        fault = f"median mass {found.mass:.3f} on the replies asked for; {LEAST_MEDIAN:g} and more is usual"
        return fault, f"set {prefill}, build.judging.scoring to {other}"
    if found.failures > 0.5 or found.auc is None:
        return f"{found.failures:.0%} of its replies cannot be read", f"set build.judging.scoring to {other}"
    return None


def _unsure(found: Trust, blind: bool, other: str, prefill: str) -> tuple[str, str] | None:
    """Return the fault of ratings that do not tell right from wrong answers, and what to do; None where they do."""
    if found.auc is None or found.ties is None:
        return None
    if found.ties > MOST_TIES:
        fault = f"{found.ties:.0%} of right and wrong answers are rated alike (within {NEAR:g})"
        return fault, f"set build.judging.scoring to {other}, or {prefill}"
    if found.auc < LEAST_AUC:
        blindly = ", seeing neither image nor reference" if blind else ""
        context = "build.judging.context to reference, " if blind else ""
        fault = f"it rates right answers no higher than wrong ones (AUC {found.auc:.2f}{blindly})"
        return fault, f"set {context}build.judging.scoring to {other}"
    return None


def _known(ratings: Sequence[Rating], images: Sequence[str]) -> list[tuple[float, str]]:
    return [(r.value, image) for r, image in zip(ratings, images, strict=True) if r.value is not None]


def _interval(
    above: np.ndarray, rows: Sequence[str], columns: Sequence[str], resamples: int, seed: int
) -> tuple[float, float]:
    """Return what holds 95 % of the means over resamples of the images; the image "" is in all of them once."""
    names = sorted({*rows, *columns} - {""})
    place = {image: i for i, image in enumerate(names)}
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    drawn, place = np.hstack([drawn, np.ones((resamples, 1))]), place | {"": len(names)}
    a, b = (drawn[:, [place[image] for image in own]].astype(float) for own in (rows, columns))
    pairs = a.sum(1) * b.sum(1)
    values = ((a @ above) * b).sum(1)[pairs > 0] / pairs[pairs > 0]
    low, high = np.percentile(values, [2.5, 97.5]) if len(values) else (float("nan"), float("nan"))
    return float(low), float(high)
