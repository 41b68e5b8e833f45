"""What an image holds -> its questions with answers, so sampled that kinds keep their shares and no answer leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clincot.phantom.texts.questions import Question
from clincot.phantom.v2.objects import Layout, Thing
from clincot.phantom.v2.texts.answers import ANSWERS
from clincot.phantom.v2.texts.balance import RATES
from clincot.phantom.v2.texts.wording import ASKED
from clincot.records import AnswerType

STREAM = 21  # keeps the questions' random numbers apart from the drawing's
MULTI_REGION = ("larger", "count", "more", "second")  # one region does not answer them
TYPES: dict[str, AnswerType] = {"zone": "open", "count": "open", "severity": "open", "box": "open", "report": "report"}


def questions(layout: Layout, wording: Mapping[str, Sequence[str]] = ASKED) -> tuple[Question, ...]:
    """Return the questions of an image, about one on average; equal layouts have equal questions.

    `wording`: the sentences to ask with, of each kind; `wording.UNSEEN` gives the held-out set of paraphrases.
    """
    rng = np.random.default_rng([layout.seed, layout.index, STREAM])
    asked = []
    for kind in ANSWERS:
        answer, chance, place = ANSWERS[kind](layout.lesions), rng.random(), rng.random()
        if answer is not None and chance < rate(kind, answer):
            asked.append(worded(kind, answer, wording[kind][int(place * len(wording[kind]))]))
    return tuple(asked)


def rate(kind: str, answer: str) -> float:
    """Return the share of images with this answer that are asked the question."""
    return RATES.get((kind, answer), RATES.get((kind, ""), 0.0))


def worded(kind: str, answer: str, text: str) -> Question:
    """Return the question in these words."""
    return Question(text, answer, TYPES.get(kind, "closed"), kind, "nodule")


def answer_from(kind: str, nodules: Sequence[Thing]) -> str | None:
    """Return the answer of someone who knows of `nodules` alone; None where they do not give one."""
    return ANSWERS[kind](nodules)
