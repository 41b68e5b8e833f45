"""A phantom, a region and a generator -> training rows: prompts as the toolkit asks them, underreported answers.

Answers are those of `underreporting`: true except for subtle findings that are left out, the fault to be unlearned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clincot.chain import prompts
from clincot.phantom.drawing.draw import Phantom, visible
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.texts.questions import Question, finding_sentence, questions
from clincot.phantom.texts.underreporting import answered_from, underreported
from clincot.records import Box, Message

LETTERS = list("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Row:
    """One prompt with its gold completion; `crop` says whether the prompt holds the region's crop."""

    messages: list[Message]
    completion: str
    crop: bool


def rows(phantom: Phantom, box: Box, rng: np.random.Generator, *, with_crop: int = 4, direct: int = 2) -> list[Row]:
    """Return one step row, up to `with_crop` - 1 answers with the region, and up to `direct` answers without it."""
    mentioned = underreported(phantom, rng)
    known = [answered_from(question, mentioned) for question in questions(phantom, rng)]
    asked = [known[i] for i in rng.permutation(len(known))]
    shown = finding_sentence(visible(mentioned, box))
    earlier = [shown] if rng.random() < 0.15 else []
    made = [Row(prompts.finding_messages(_worded(asked[0], rng), earlier, report=asked[0].is_report), shown, True)]
    for question in asked[: with_crop - 1]:
        said = _findings_so_far(shown, rng)
        prompt = prompts.answer_messages(_worded(question, rng), said, report=question.is_report)
        made.append(Row(prompt, question.answer, True))
    for question in asked[-direct:]:
        prompt = prompts.direct_messages(_worded(question, rng), report=question.is_report)
        made.append(Row(prompt, question.answer, False))
    return made


def _findings_so_far(shown: str, rng: np.random.Generator) -> list[str]:
    """Return the true step sentence (55 %), none (20 %) or a wrong one, so that answers lean on the images too."""
    chance = rng.random()
    if chance < 0.55:
        return [shown]
    if chance < 0.75:
        return []
    count = int(rng.choice([0, 1, 1, 2]))
    return [finding_sentence(rng.choice(FINDINGS, size=count, replace=False).tolist())]


def _worded(question: Question, rng: np.random.Generator) -> str:
    """Return the question's text, in one row of twelve with a word the world does not know."""
    if rng.random() > 1 / 12:
        return question.text
    words = question.text.split(" ")
    strange = "".join(rng.choice(LETTERS, size=int(rng.integers(3, 9))))
    words.insert(int(rng.integers(len(words))), strange)
    return " ".join(words)
