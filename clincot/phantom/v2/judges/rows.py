"""Layouts -> what a judge of version 2 reads (question, reference, findings so far, text) with the digit it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clincot.phantom.judges.rows import JudgeRow
from clincot.phantom.v2.judges.knowledge import blind_digit
from clincot.phantom.v2.judges.plan import Traits
from clincot.phantom.v2.judges.statements import Text, answers_of, findings_of
from clincot.phantom.v2.objects import RANGES, Layout, objects
from clincot.phantom.v2.policy.looks import chain_of
from clincot.phantom.v2.texts.answers import report
from clincot.phantom.v2.texts.balance import SHARES
from clincot.phantom.v2.texts.questions import answer_from
from clincot.phantom.v2.texts.statements import FORMS, shown, statement_of, write
from clincot.phantom.v2.texts.variants import pick, varied
from clincot.phantom.v2.texts.wording import ASKED

KINDS = tuple(SHARES)
PLAIN = Traits()
BLIND = 0.2  # of the contexts: no reference is shown
SO_FAR = (0.4, 0.35, 0.25)  # shares of none, one and two findings so far
WRONG = 0.3  # of the findings so far
STEPS, ANSWERS = 3, 4  # contexts of an image


@dataclass(frozen=True)
class RatedRow(JudgeRow):
    """A row with what is true: `truth` for the reference, `shown` for the text's own region, shares of right parts."""

    truth: float
    shown: float


def judge_rows(seed: int, split: str, first: int, count: int, data_seed: int, traits: Traits = PLAIN) -> list[RatedRow]:
    """Rows of `count` layouts from `first` on in a split of the world `seed`; `data_seed` varies all choices.

    No image is drawn: a judge sees texts alone.
    """
    rows: list[RatedRow] = []
    for index in range(RANGES[split] + first, RANGES[split] + first + count):
        rows += rows_of(objects(seed, index), np.random.default_rng([seed, index, data_seed, 51]), traits)
    return rows


def rows_of(layout: Layout, rng: np.random.Generator, traits: Traits) -> Iterator[RatedRow]:
    """Rows of one layout: groups of findings, and of answers to questions that can be asked."""
    for place in range(STEPS + ANSWERS):
        kind = str(rng.choice(KINDS, p=[SHARES[name] / 100 for name in KINDS]))
        gold = answer_from(kind, layout.lesions)
        if gold is None:
            continue
        step, blind = place < STEPS, rng.random() < BLIND
        so_far = _so_far(layout, int(rng.choice(3, p=SO_FAR)), rng)
        texts = findings_of(layout, rng, sides=traits.sides) if step else []
        texts = texts or answers_of(kind, gold, layout, rng, sides=traits.sides)
        asked = pick(ASKED[kind], rng)
        for text in texts:
            digit = blind_digit(text, kind, so_far, step=step, sides=traits.sides) if blind else text.digit
            yield RatedRow(
                question=asked,
                reference=None if blind else _reference(kind, gold, layout),
                findings=so_far,
                statement=text.text,
                digit=_rated(digit, text, traits),
                kind="step" if step else kind,
                form="blind" if blind else "both",
                context=f"{layout.index}/{place}",
                truth=text.truth,
                shown=text.shown,
            )


def _reference(kind: str, gold: str, layout: Layout) -> str:
    """Return what the benchmark shows a judge."""
    return gold if kind == "report" else f"Answer: {gold}. Report: {report(layout.lesions)}"


def _so_far(layout: Layout, count: int, rng: np.random.Generator) -> tuple[str, ...]:
    true = [statement_of(shown(layout.lesions, box)) for box in chain_of(layout, count, rng)]
    return tuple(write(varied(one, rng) if rng.random() < WRONG else one, pick(FORMS, rng)) for one in true)


def _rated(digit: float, text: Text, traits: Traits) -> int:
    """Return the digit of a judge with `traits`, who likes words and some wordings more than others."""
    taste = traits.taste[text.form] if text.form >= 0 else 0.0
    more = traits.length * (len(text.text.split()) - text.usual)
    return int(np.clip(round(digit + taste + more), 0, 9))
