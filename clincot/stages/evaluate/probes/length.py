"""Answers, preference pairs and rated candidates -> how long the policy writes, and whether judges rate length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from clincot import protocols
from clincot.chain.thoughts import without_thoughts
from clincot.metrics import load_score
from clincot.metrics.reading.words import plain, tokens_of
from clincot.records import Candidate, Example
from clincot.stages.evaluate.changes import right
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes.base import MEAN, Line, Probed, constant, on_common
from clincot.stages.evaluate.results import Resampling, Row, Term, spoken

PROBE = "length"
RECALL = next(load_score(*m.scores[0][1:]) for m in protocols.load("clincot").measures if m.name == "open_recall")


def length(text: str) -> float:
    """Return the number of words of a text without its thoughts; in scripts without spaces, of its characters."""
    return float(len(tokens_of(plain(_answer(text)))))


def _answer(text: str) -> str:
    return spoken(without_thoughts(text))


@dataclass(frozen=True)
class Sides:
    """The texts of one preference pair of an example."""

    example_id: str
    chosen: str
    rejected: str


def of_answers(
    examples: Mapping[str, Example], rows: Mapping[Row, Sequence[Prediction]], resampling: Resampling
) -> Iterator[Probed]:
    """Yield, per policy and inference, the words of an answer against those of the gold, and of the first policy."""
    gold = {name: length(example.answer) for name, example in examples.items()}
    policies = [row for row in rows if row.policy and not row.control]
    words = {row: {p.example_id: length(p.text) for p in rows[row]} for row in policies}
    for row in policies:
        line = Line(PROBE, "words of an answer", "the policy's", "the gold's", row.policy, row.inference, "words")
        yield from on_common(line, resampling, examples, words[row], gold)
    for row in policies:
        first = Row(policies[0].policy, row.inference)
        if first != row and first in words:
            control = f"{first.policy}'s" if first.policy != "base" else "the base's"
            line = Line(PROBE, "words of an answer", "the adapter's", control, row.policy, row.inference, "words")
            yield from on_common(line, resampling, examples, words[row], words[first])


def of_pairs(
    name: str, pairs: Sequence[Sides], examples: Mapping[str, Example], resamples: int, seed: int
) -> Iterator[Probed]:
    """Yield the words of chosen against rejected texts of a round called `name`; `examples` are those of train."""
    known = [pair for pair in pairs if pair.example_id in examples]
    if not known:
        return
    resampling = Resampling.of([examples[pair.example_id] for pair in known], resamples, seed)
    line = Line(PROBE, "words of a side", "chosen", "rejected", name, unit="words", of="pairs")
    chosen, rejected = (
        resampling.score([(examples[pair.example_id], (length(text(pair)), 1.0)) for pair in known], MEAN)
        for text in (lambda pair: pair.chosen, lambda pair: pair.rejected)
    )
    if chosen is not None and rejected is not None:
        yield line.probed(chosen, rejected)


def of_judges(
    name: str, candidates: Sequence[Candidate], examples: Mapping[str, Example], resamples: int, seed: int
) -> Iterator[Probed]:
    """Yield, per judge, whether the longer of two equally true answers has the higher score.

    Pairs are two answers of the last step to one question: both right or both wrong, of different lengths, and of open
    questions with the same share of the gold's words. The value is (longer is higher - longer is lower) / pairs, from
    -1 to 1 (Kendall's tau-a over these pairs). The control is the same for truth: (right is higher - right is lower) /
    pairs of a right and a wrong answer; nan without such pairs. A right answer in a sentence is in neither with one in
    words: rules call it wrong.
    """
    known = [c for c in candidates if c.example_id in examples and c.judge_scores]
    if not known:
        return
    resampling = Resampling.of([examples[c.example_id] for c in known], resamples, seed)
    groups = _answers(known, examples)
    for judge in dict.fromkeys(score.judge for c in known for score in c.judge_scores):
        equal, unequal = _signs(groups, judge)
        longer, truer = resampling.score(equal, MEAN), resampling.score(unequal, MEAN)
        line = Line(
            PROBE,
            "judges' scores",
            f"{judge}, longer of two equally true",
            "right of two",
            name,
            "",
            "correlation",
            "pairs",
        )
        if longer is not None:
            yield line.probed(longer, truer or constant(resampling, float("nan"), 0))


Rated = tuple[Candidate, bool, float]  # whether it is right, and how much of the gold it says


def _answers(candidates: Sequence[Candidate], examples: Mapping[str, Example]) -> list[tuple[Example, list[Rated]]]:
    """Return, per question, the answers of its last step with whether they are right; reports have no truth here."""
    last: dict[str, int] = {}
    for candidate in candidates:
        last[candidate.example_id] = max(candidate.step, last.get(candidate.example_id, 0))
    found: dict[str, list[Rated]] = {}
    for candidate in candidates:
        example = examples[candidate.example_id]
        true = right(example, _answer(candidate.text))
        if true is not None and candidate.step == last[candidate.example_id]:
            part = RECALL.of([_answer(candidate.text)], [example.answer]) if example.answer_type == "open" else 0.0
            found.setdefault(candidate.example_id, []).append((candidate, true, part))
    return [(examples[name], some) for name, some in found.items()]


def _signs(groups: Sequence[tuple[Example, list[Rated]]], judge: str) -> tuple[list[Term], list[Term]]:
    """Return the terms (sign, 1) of equally true pairs, by length, and of unequal ones, by truth."""
    equal: list[Term] = []
    unequal: list[Term] = []
    for example, some in groups:
        for (one, first, said), (two, second, other) in combinations(some, 2):
            a, b = _own(one, judge), _own(two, judge)
            if a is None or b is None or one.text == two.text:
                continue
            above = float((a > b) - (a < b))
            lengths = length(one.text) - length(two.text)
            if first != second and (said != other or example.answer_type != "open"):
                unequal.append((example, (above if first else -above, 1.0)))
            elif lengths and first == second and said == other:
                equal.append((example, (above if lengths > 0 else -above, 1.0)))
    return equal, unequal


def _own(candidate: Candidate, judge: str) -> float | None:
    return next((score.own for score in candidate.judge_scores if score.judge == judge), None)
