"""Open answers, the ratings of judges and the gold answers -> results of `clincot-judge-v1`, and its agreement."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean

import numpy as np

from clincot.chain.thoughts import without_thoughts
from clincot.judges.base import JudgeRequest
from clincot.metrics.scoring.open_answers import exact_match
from clincot.protocols import JUDGED
from clincot.records import Example
from clincot.stages.evaluate.controls import PRIOR
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes.agreement import RIGHT, kappa, tau_b
from clincot.stages.evaluate.probes.base import MEAN, Line, Probed
from clincot.stages.evaluate.results import Comparison, Resampling, Result, Row, Scored, spoken

PROBE = "judge"
RULE = "clincot-v2"
CALLED = "open answers called right"
LOTS = 20  # one alone is off 0 by chance: with 16 answers by 0.3
KAPPA, TAU = "Cohen's kappa with exact match", "Kendall's tau-b with exact match"
Opinions = Mapping[str, Mapping[tuple[str, str], float]]  # judge -> (example id, answer) -> rating in [0, 1]


def said(prediction: Prediction) -> str:
    """Return the answer as a judge reads it: without thoughts and image tokens."""
    return spoken(without_thoughts(prediction.text)).strip()


def request_of(example: Example, answer: str) -> JudgeRequest:
    """Return what a judge is asked: question, reference and answer, by the rubric of answers."""
    return JudgeRequest(example.question, example.reference, (), answer)


def open_rows(examples: Mapping[str, Example], predictions: Sequence[Prediction]) -> dict[Row, dict[str, str]]:
    """Return, per row of a policy and of the question prior, example id -> answer of the open questions."""
    rows: dict[Row, dict[str, str]] = {}
    for p in predictions:
        example = examples.get(p.example_id)
        if example and example.answer_type == "open" and p.control in ("", PRIOR):
            rows.setdefault(Row(p.policy, p.inference, p.control), {})[p.example_id] = said(p)
    return rows


def with_mean(opinions: Opinions) -> dict[str, Mapping[tuple[str, str], float]]:
    """Return the opinions with the mean of the judges, where there are several and all could be read."""
    found = dict(opinions)
    if len(found) > 1:
        common = set.intersection(*(set(one) for one in found.values()))
        found["mean of the judges"] = {key: mean(one[key] for one in opinions.values()) for key in common}
    return found


@dataclass(frozen=True)
class Judged:
    """The open answers of an evaluation with what judges gave them (`opinions`, the one that counts last)."""

    examples: Mapping[str, Example]
    rows: Mapping[Row, Mapping[str, str]]
    opinions: Opinions
    resampling: Resampling = field(repr=False)
    seed: int

    def results(self, benchmark: str) -> Iterator[Result]:
        """Yield the mean rating of each row under `clincot-judge-v1`."""
        for row in self.rows:
            scored = self._mean(row, self._ratings(row))
            if scored is not None:
                place = (benchmark, JUDGED.label, JUDGED.measures[0].name, row.policy, row.inference, scored.value)
                yield Result(*place, *scored.interval(), scored.n, row.control)

    def comparisons(self) -> Iterator[Comparison]:
        """Yield each policy minus the first one, and minus the question prior."""
        policies = [row for row in self.rows if not row.control]
        for row in policies:
            for other, against in (
                (Row(policies[0].policy, row.inference), policies[0].policy),
                (Row("", "", PRIOR), PRIOR),
            ):
                if other == row or other not in self.rows:
                    continue
                first, second = self._ratings(row), self._ratings(other)
                common = first.keys() & second.keys()
                one, two = (self._mean(row, {name: some[name] for name in sorted(common)}) for some in (first, second))
                if one is not None and two is not None:
                    difference = Scored(one.value - two.value, one.draws - two.draws, one.n)
                    place = (JUDGED.label, JUDGED.measures[0].name, row.policy, row.inference, against)
                    yield Comparison(*place, difference.value, *difference.interval(), one.n)

    def probed(self) -> Iterator[Probed]:
        """Yield, per judge and row, answers called right against exact matches, and how far the two agree."""
        for judge, given in self.opinions.items():
            for row, answers in self.rows.items():
                verdicts = [
                    (self.examples[name], exact_match(text, self.examples[name].answer, RULE), given[name, text])
                    for name, text in answers.items()
                    if (name, text) in given
                ]
                yield from self._lines(judge, row, verdicts)

    def _lines(self, judge: str, row: Row, verdicts: list[tuple[Example, bool, float]]) -> Iterator[Probed]:
        called = "question prior" if row.control else row.policy
        if verdicts:
            line = Line(PROBE, CALLED, judge, "exact match", called, row.inference)
            terms = (
                [(e, (float(rating >= RIGHT), 1.0)) for e, _, rating in verdicts],
                [(e, (float(exact), 1.0)) for e, exact, _ in verdicts],
            )
            first, second = (self.resampling.score(some, MEAN) for some in terms)
            if first is not None and second is not None:
                yield line.probed(first, second)
        drawn = _lots(verdicts, self.seed)
        for measure, agree in ((KAPPA, kappa), (TAU, tau_b)):
            line = Line(PROBE, measure, judge, "ratings of other answers", called, row.inference, "correlation")
            value = agree(verdicts, self.resampling)
            by_lot = [found for lot in drawn if (found := agree(lot, self.resampling)) is not None]
            if value is not None and by_lot:
                draws = np.mean([found.draws for found in by_lot], axis=0)
                yield line.probed(value, Scored(mean(found.value for found in by_lot), draws, value.n))

    def _ratings(self, row: Row) -> dict[str, float]:
        *_, counted = self.opinions.values()
        return {name: counted[name, text] for name, text in self.rows[row].items() if (name, text) in counted}

    def _mean(self, row: Row, ratings: Mapping[str, float]) -> Scored | None:
        return self.resampling.score([(self.examples[name], (value, 1.0)) for name, value in ratings.items()], MEAN)


def _lots(verdicts: Sequence[tuple[Example, bool, float]], seed: int) -> list[list[tuple[Example, bool, float]]]:
    """Return the answers with ratings of one another, in several orders that `seed` draws: agreement by chance."""
    draw = random.Random(seed)
    ratings = [rating for _, _, rating in verdicts]
    return [
        [(e, exact, rating) for (e, exact, _), rating in zip(verdicts, draw.sample(ratings, len(ratings)), strict=True)]
        for _ in range(LOTS)
    ]
