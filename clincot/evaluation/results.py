"""Predictions, their examples and a protocol -> results with intervals, and differences on the same resamples.

The bootstrap draws images with all their questions (questions of one image are not independent): 95 % percentile
intervals, recomputed from sums, so a thousand resamples are one matrix product per number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clincot.evaluation.predictions import Prediction
from clincot.metrics import load_score
from clincot.metrics._closed import is_yes_no
from clincot.metrics.base import Score
from clincot.protocols import Measure, Protocol
from clincot.records import Example


class Row(NamedTuple):
    """One line of a table: a policy under an inference, or a control; a control without policy has none."""

    policy: str
    inference: str
    control: str = ""


@dataclass(frozen=True)
class Result:
    """One number: `value` in [0, 1] over `n` questions, 95 % interval `low`..`high`; `subgroup` "" means all."""

    benchmark: str
    protocol: str
    metric: str
    policy: str
    inference: str
    value: float
    low: float
    high: float
    n: int
    control: str = ""
    subgroup: str = ""

    @property
    def row(self) -> Row:
        return Row(self.policy, self.inference, self.control)


@dataclass(frozen=True)
class Comparison:
    """A row minus another on the same resamples; `against` is a control of the same policy, or another policy."""

    metric: str
    policy: str
    inference: str
    against: str
    value: float
    low: float
    high: float
    n: int

    @property
    def undecided(self) -> bool:
        """Whether the interval holds 0 or could not be computed: the row is not shown to differ."""
        return not (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Scored:
    """A row's value under a measure: the point, its resamples (resamples,) and how many questions counted."""

    value: float
    draws: np.ndarray
    n: int

    def interval(self) -> tuple[float, float]:
        return _interval(self.draws)


@dataclass(frozen=True)
class Resampling:
    """`counts` (resamples, images): how often each image is drawn, the same for all rows: differences are paired."""

    images: dict[str, int]
    counts: np.ndarray

    @classmethod
    def of(cls, examples: Sequence[Example], resamples: int, seed: int) -> Resampling:
        images = {name: i for i, name in enumerate(dict.fromkeys(e.image_id for e in examples))}
        share = np.full(len(images), 1.0 / len(images))
        counts = np.random.default_rng(seed).multinomial(len(images), share, size=resamples)
        return cls(images, counts.astype(np.float64))

    def score(self, terms: Sequence[tuple[Example, tuple[float, ...]]], score: Score) -> Scored | None:
        """Sum terms by image, then over images and over each resample; None when nothing counted."""
        if not terms:
            return None
        sums = np.zeros((len(self.images), len(terms[0][1])))
        np.add.at(sums, [self.images[example.image_id] for example, _ in terms], [values for _, values in terms])
        return Scored(float(score.value(sums.sum(0))), score.value(self.counts @ sums), len(terms))


def _interval(draws: np.ndarray) -> tuple[float, float]:
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


class Scoring:
    """Scores rows of predictions under a protocol; all rows answer the same examples."""

    def __init__(self, protocol: Protocol, examples: Sequence[Example], resamples: int, seed: int) -> None:
        self.protocol = protocol
        self.examples = {example.id: example for example in examples}
        self.resampling = Resampling.of(examples, resamples, seed)

    def results(self, benchmark: str, rows: Mapping[Row, Sequence[Prediction]]) -> tuple[Result, ...]:
        """Return every measure of every row, and per kind of question where the protocol asks for it."""
        found = []
        for row, predictions in rows.items():
            for measure in self.protocol.measures:
                terms = self._terms(measure, predictions)
                groups = {"": terms} | (_by_kind(terms) if measure.by_kind else {})
                for subgroup, some in groups.items():
                    scored = self.resampling.score(some, _score(measure))
                    if scored is not None:
                        place = (benchmark, self.protocol.label, measure.name, row.policy, row.inference, scored.value)
                        found.append(Result(*place, *scored.interval(), scored.n, row.control, subgroup))
        return tuple(found)

    def comparisons(
        self, rows: Mapping[Row, Sequence[Prediction]], pairs: Sequence[tuple[Row, Row, str]]
    ) -> tuple[Comparison, ...]:
        """Return, per (row, other row, name of the other) and measure, the paired difference."""
        found = []
        for measure in self.protocol.measures:
            scored = {
                row: self.resampling.score(self._terms(measure, rows[row]), _score(measure))
                for row in dict.fromkeys(r for pair in pairs for r in pair[:2])
            }
            for row, other, against in pairs:
                mine, theirs = scored[row], scored[other]
                if mine is not None and theirs is not None:
                    interval = _interval(mine.draws - theirs.draws)
                    place = (measure.name, row.policy, row.inference, against, mine.value - theirs.value)
                    found.append(Comparison(*place, *interval, mine.n))
        return tuple(found)

    def _terms(self, measure: Measure, predictions: Sequence[Prediction]) -> list[tuple[Example, tuple[float, ...]]]:
        scores = {kind: load_score(name, rule) for kind, name, rule in measure.scores}
        asked = ((self.examples[p.example_id], p.text) for p in predictions)
        return [
            (example, scores[example.answer_type].terms(text, example.answer))
            for example, text in asked
            if example.answer_type in scores and _counts(measure, example)
        ]


def _score(measure: Measure) -> Score:
    _, name, rule = measure.scores[0]
    return load_score(name, rule)


def _counts(measure: Measure, example: Example) -> bool:
    return measure.golds == "all" or (measure.golds == "yes/no") == is_yes_no(example.answer)


def _by_kind(terms: Sequence[tuple[Example, tuple[float, ...]]]) -> dict[str, list[tuple[Example, tuple[float, ...]]]]:
    groups: dict[str, list[tuple[Example, tuple[float, ...]]]] = {}
    for example, values in terms:
        groups.setdefault(example.kind, []).append((example, values))
    return dict(sorted(groups.items()))
