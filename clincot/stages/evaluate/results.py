"""Predictions, their examples and a protocol -> results with intervals, and differences on the same resamples.

The bootstrap draws images with all their questions (questions of one image are not independent): 95 % percentile
intervals, recomputed from sums, so a thousand resamples are one matrix product per number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from clincot.chain.thoughts import without_thoughts
from clincot.metrics import is_yes_no, load_score
from clincot.metrics.base import Score
from clincot.protocols import Measure, Protocol
from clincot.records import Example
from clincot.stages.evaluate.grounding import GROUNDING, grounding_terms
from clincot.stages.evaluate.predictions import Prediction

Term = tuple[Example, tuple[float, ...]]
SUBGROUPS: dict[str, Callable[[Example], str]] = {"kind": lambda e: e.kind, "modality": lambda e: e.modality}
IMAGE_TOKENS = ("<image>", "<|image|>", "<image_soft_token>", "<|image_pad|>", "<|vision_start|>", "<|vision_end|>")
KEPT = 1 << 18  # controls, rows and protocols ask for the same answers' terms again and again


class Row(NamedTuple):
    """One line of a table: a policy under an inference, or a control; a control without policy has none."""

    policy: str
    inference: str
    control: str = ""


@dataclass(frozen=True)
class Result:
    """One number: `value` in [0, 1] over `n` questions, 95 % interval `low`..`high`.

    `subgroup` is a kind of question or a modality, as `by` says; both "" for all questions.
    """

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
    by: str = ""

    @property
    def row(self) -> Row:
        return Row(self.policy, self.inference, self.control)


@dataclass(frozen=True)
class Comparison:
    """A row minus another on the questions that both answer and the same resamples.

    `against` is a control, or another policy under the same inference.
    """

    protocol: str
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
        return cls.over([example.image_id for example in examples], resamples, seed)

    @classmethod
    def over(cls, names: Sequence[str], resamples: int, seed: int) -> Resampling:
        """Return the resamples of images by name, each once."""
        images = {name: i for i, name in enumerate(dict.fromkeys(names))}
        share = np.full(len(images), 1.0 / len(images))
        counts = np.random.default_rng(seed).multinomial(len(images), share, size=resamples)
        return cls(images, counts.astype(np.float64))

    def score(self, terms: Sequence[Term], score: Score) -> Scored | None:
        """Sum terms by image, then over images and over each resample; None when nothing counted.

        A resample without any image that counts (no report was drawn) has no value: nan, which intervals leave out.
        """
        found = self.value(self.sums(terms), score.value) if terms else None
        return found and Scored(found.value, found.draws, len(terms))

    def sums(self, terms: Sequence[Term]) -> np.ndarray:
        """Sum terms by image -> (images, terms); nan for images about which nothing counted."""
        sums = np.full((len(self.images), len(terms[0][1])), np.nan)
        places = [self.images[example.image_id] for example, _ in terms]
        sums[places] = 0.0
        np.add.at(sums, places, [values for _, values in terms])
        return sums

    def value(self, sums: np.ndarray, value: Callable[[np.ndarray], np.ndarray]) -> Scored | None:
        """Return the value of sums by image; `n` counts the images. None when nothing counted; one image draws nan."""
        counts = ~np.isnan(sums).any(1)
        if not counts.any():
            return None
        known = np.where(counts[:, None], sums, 0.0)
        counted = self.counts[:, counts].any(1) & (counts.sum() > 1)
        draws = np.where(counted, value(self.counts @ known), np.nan)
        return Scored(float(value(known.sum(0))), draws, int(counts.sum()))


def _interval(draws: np.ndarray) -> tuple[float, float]:
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


class Scoring:
    """Scores rows of predictions under a protocol on the resamples that `seed` draws of the examples' images."""

    def __init__(self, protocol: Protocol, examples: Sequence[Example], resamples: int, seed: int) -> None:
        self.protocol = protocol
        self.examples = {example.id: example for example in examples}
        self.resampling = Resampling.of(examples, resamples, seed)

    def results(self, benchmark: str, rows: Mapping[Row, Sequence[Prediction]]) -> tuple[Result, ...]:
        """Return every measure of every row, by kind of question and modality too where the protocol asks for it."""
        found = []
        for row, predictions in rows.items():
            for measure in self.protocol.measures:
                for by, subgroup, some in _groups(measure, self.terms(measure, predictions)):
                    scored = self.resampling.score(some, _score(measure))
                    if scored is not None:
                        place = (benchmark, self.protocol.label, measure.name, row.policy, row.inference, scored.value)
                        found.append(Result(*place, *scored.interval(), scored.n, row.control, subgroup, by))
        return tuple(found)

    def comparisons(
        self, rows: Mapping[Row, Sequence[Prediction]], pairs: Sequence[tuple[Row, Row, str]]
    ) -> tuple[Comparison, ...]:
        """Return, per (row, other row, name of the other) and measure, the paired difference on common questions."""
        return tuple(found for measure in self.protocol.measures for found in self._differences(measure, rows, pairs))

    def _differences(
        self, measure: Measure, rows: Mapping[Row, Sequence[Prediction]], pairs: Sequence[tuple[Row, Row, str]]
    ) -> Iterator[Comparison]:
        terms = {row: {e.id: (e, t) for e, t in self.terms(measure, rows[row])} for pair in pairs for row in pair[:2]}
        whole = {row: self.resampling.score(list(found.values()), _score(measure)) for row, found in terms.items()}
        for row, other, against in pairs:
            common = terms[row].keys() & terms[other].keys()
            mine, theirs = (
                whole[r]
                if len(common) == len(terms[r])
                else self.resampling.score([t for name, t in terms[r].items() if name in common], _score(measure))
                for r in (row, other)
            )
            if mine is not None and theirs is not None:
                place = (self.protocol.label, measure.name, row.policy, row.inference, against)
                yield Comparison(*place, mine.value - theirs.value, *_interval(mine.draws - theirs.draws), mine.n)

    def terms(self, measure: Measure, predictions: Sequence[Prediction]) -> list[Term]:
        """Return the example and the summable terms of every prediction that counts for `measure`."""
        if measure.scores[0][1] in GROUNDING:
            return self._grounded(measure.scores[0][1], predictions)
        scores = {kind: (name, rule) for kind, name, rule in measure.scores}
        asked = ((self.examples[p.example_id], self._said(p)) for p in predictions if p.example_id in self.examples)
        return [
            (example, _terms(*scores[example.answer_type], text, example.answer))
            for example, text in asked
            if example.answer_type in scores and _counts(measure, example)
        ]

    def _said(self, prediction: Prediction) -> str:
        return prediction.text if self.protocol.thoughts else without_thoughts(prediction.text)

    def _grounded(self, name: str, predictions: Sequence[Prediction]) -> list[Term]:
        asked = ((self.examples[p.example_id], p) for p in predictions if p.example_id in self.examples)
        found = ((example, grounding_terms(name, p, example)) for example, p in asked)
        return [(example, terms) for example, terms in found if terms is not None]


@lru_cache(KEPT)
def _terms(name: str, rule: str, text: str, gold: str) -> tuple[float, ...]:
    return load_score(name, rule).terms(spoken(text), gold)


def spoken(text: str) -> str:
    """Return an answer without the image tokens that a model may repeat from its prompt: they are no words."""
    for token in IMAGE_TOKENS:
        text = text.replace(token, " ")
    return text


def _score(measure: Measure) -> Score:
    _, name, rule = measure.scores[0]
    return GROUNDING[name]() if name in GROUNDING else load_score(name, rule)


def _counts(measure: Measure, example: Example) -> bool:
    if measure.golds == "all":
        return True
    rule = next(rule for kind, _, rule in measure.scores if kind == example.answer_type)
    return (measure.golds == "yes/no") == is_yes_no(example.answer, rule)


def _groups(measure: Measure, terms: Sequence[Term]) -> Iterator[tuple[str, str, Sequence[Term]]]:
    """Yield (by, subgroup, terms): all, then each kind and modality; a benchmark of one modality has no such rows."""
    yield "", "", terms
    for by, name in SUBGROUPS.items() if measure.subgroups else ():
        groups: dict[str, list[Term]] = {}
        for term in terms:
            groups.setdefault(name(term[0]), []).append(term)
        if by == "kind" or len(groups) > 1:
            for subgroup, some in sorted(groups.items()):
                yield by, subgroup, some
