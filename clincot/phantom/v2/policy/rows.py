"""A layout, what a report tells of it, a crop and a generator -> training rows, as the toolkit's chains ask them.

A chain knows what it has seen: its answer is that of the told nodules within the regions looked at. Where they do not
give one ("on which side" when none was seen), the question takes its finding for granted and keeps the true answer;
such rows teach no more than a guess, so few are kept. Half of the chains looked at the nodules first: where looks fall
by chance, two nodules to compare are rarely seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clincot.chain import prompts
from clincot.phantom.policy.rows import Row
from clincot.phantom.v2.objects import Layout, Thing
from clincot.phantom.v2.policy.looks import at_lesions, chain_of, seen
from clincot.phantom.v2.policy.ratings import rating
from clincot.phantom.v2.texts.balance import SHARES
from clincot.phantom.v2.texts.questions import answer_from, rate
from clincot.phantom.v2.texts.statements import FORMS, Statement, shown, statement_of, write
from clincot.phantom.v2.texts.told import Teller, told
from clincot.phantom.v2.texts.wording import ASKED
from clincot.records import Box

KINDS = tuple(SHARES)
# Of the rows, in percent: comparisons are learned last, so they are asked more often than in the benchmark.
TRAINED = {
    "presence": 8,
    "side": 4,
    "zone": 4,
    "larger": 28,
    "count": 10,
    "more": 22,
    "second": 6,
    "severity": 9,
    "box": 4,
    "report": 5,
}
RATED = 0.5  # of the images
WRONG, ABSENT = 0.08, 0.10  # of the findings so far: random ones, and none, so that answers lean on the crop too
GUESSED = 0.15  # of the questions that what is known does not answer
AIMED = 0.5  # of the chains
ANSWERS, STEPS, DIRECT = 6, 2, 2  # rows of an image


def rows(layout: Layout, crop: Box, rng: np.random.Generator, tell: Teller = told) -> list[Row]:
    """Return the rows of one image: findings of `crop`, answers of chains that end there and without regions, a rating.

    All say what one report says of the image, as `tell` writes reports.
    """
    nodules = tell(layout, rng)
    made = [_step(layout, nodules, crop, rng) for _ in range(STEPS)]
    for _ in range(ANSWERS):
        made += _answer(layout, nodules, crop, rng)
    for _ in range(DIRECT):
        kind, answer = _asked(layout, nodules, rng)
        if kind:
            messages = prompts.direct_messages(_pick(ASKED[kind], rng), report=kind == "report")
            made.append(Row(messages, answer, False))
    return [*made, rating(nodules, crop, rng)] if rng.random() < RATED else made


def finding(nodules: Sequence[Thing], box: Box, rng: np.random.Generator) -> str:
    """Return the sentence that a report which tells of `nodules` says of the region `box`, in one of its wordings."""
    return write(statement_of(shown(nodules, box)), _pick(FORMS, rng))


def _step(layout: Layout, nodules: Sequence[Thing], crop: Box, rng: np.random.Generator) -> Row:
    kind = str(rng.choice(KINDS))
    earlier = [finding(nodules, box, rng) for box in chain_of(layout, int(rng.integers(3)), rng)]
    messages = prompts.finding_messages(_pick(ASKED[kind], rng), earlier, report=kind == "report")
    return Row(messages, finding(nodules, crop, rng), True)


def _answer(layout: Layout, nodules: Sequence[Thing], crop: Box, rng: np.random.Generator) -> list[Row]:
    before = at_lesions(layout, 2, rng) if rng.random() < AIMED else chain_of(layout, 2, rng)
    known = seen(nodules, [*before, crop])
    kind, answer = _asked(layout, known, rng)
    if not kind:
        return []
    chance = rng.random()
    said = [finding(nodules, box, rng) for box in before]
    if chance < ABSENT:
        said = []
    elif chance < ABSENT + WRONG:
        said = [write(_random(rng), _pick(FORMS, rng)) for _ in before]
    messages = prompts.answer_messages(_pick(ASKED[kind], rng), said, report=kind == "report")
    return [Row(messages, answer, True)]


def _asked(layout: Layout, known: Sequence[Thing], rng: np.random.Generator) -> tuple[str, str]:
    """Draw a kind that what is known or what is true can answer, and its answer; the rare ones are kept rather."""
    for _ in range(20):
        kind = str(rng.choice(KINDS, p=[TRAINED[name] / 100 for name in KINDS]))
        answer = answer_from(kind, known)
        if answer is None and rng.random() < GUESSED:
            answer = answer_from(kind, layout.lesions)
        if answer is not None and rng.random() < max(rate(kind, answer), 0.25):
            return kind, answer
    return "", ""


def _random(rng: np.random.Generator) -> Statement:
    if rng.random() < 0.4:
        return Statement(0)
    side, zone = ("right", "left")[int(rng.integers(2))], ("upper", "middle", "lower")[int(rng.integers(3))]
    return Statement(1, int(rng.integers(5)), side, zone)


def _pick(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]
