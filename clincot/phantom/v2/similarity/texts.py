"""Nodules that a view shows -> the words and sentences about them, and which of those are true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.v2.judges.rubric import finding_parts
from clincot.phantom.v2.objects import LESION, Thing
from clincot.phantom.v2.texts.answers import severity
from clincot.phantom.v2.texts.statements import FORMS, NUMBERS, PARTS, SIZES, Statement, read, statement_of, write
from clincot.phantom.v2.texts.variants import pick, varied

GRADES = ("mild", "moderate", "severe")
COUNTS = NUMBERS[1:5]
TEMPLATES = ("{}", "an image showing {}", "a medical image showing {}")  # FiSAO's and the proposers' are among them


def _shows(part: str, value: object, nodules: Sequence[Thing]) -> bool:
    return any(getattr(thing, part) == value for thing in nodules)


def _counts(count: int, nodules: Sequence[Thing]) -> bool:
    return len(nodules) == count


def _grades(grade: str, nodules: Sequence[Thing]) -> bool:
    return severity(nodules) == grade


WORDS: dict[str, Callable[[Sequence[Thing]], bool]] = {
    LESION: bool,
    **{name: partial(_shows, "quintile", i) for i, name in enumerate(SIZES)},
    **{name: partial(_shows, "side", name) for name in SIDES},
    **{name: partial(_shows, "zone", name) for name in ZONES},
    **{name: partial(_counts, i) for i, name in enumerate(COUNTS, start=1)},
    **{name: partial(_grades, name) for name in GRADES},
}


def truths(texts: Sequence[str], shown: Sequence[Sequence[Thing]]) -> list[list[bool]]:
    """Return, per view and text, whether the word of `WORDS` or the sentence is true of the nodules that it shows."""
    said = {text: read(text) for text in texts if text not in WORDS}
    known = [[statement_of([thing]) for thing in nodules] for nodules in shown]
    return [
        [WORDS[text](own) if text in WORDS else finding_parts(said[text], each) == PARTS for text in texts]
        for own, each in zip(shown, known, strict=True)
    ]


def sentence(nodules: Sequence[Thing], rng: np.random.Generator) -> str:
    """Return a sentence about one of `nodules`, true or with parts changed."""
    one = [nodules[int(rng.integers(len(nodules)))]] if nodules else []
    said = varied(statement_of(one) if one else Statement(0), rng)
    return write(said, pick((*FORMS, "There is {}."), rng))


def every_text() -> list[str]:
    """Return texts that hold every word, for the tokenizer."""
    sides = [write(Statement(n + 1, n, side, zone)) for n in range(5) for side in SIDES for zone in ZONES]
    framed = [template.format(word) for template in TEMPLATES for word in WORDS]
    return [*sides, write(Statement(6)), *(form.format("no nodule") for form in FORMS), *framed, "There is a nodule."]
