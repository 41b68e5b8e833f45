"""A layout, a question and a generator -> texts that a policy might write, each with the digit the rubric gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clincot.phantom.v2.judges import rubric
from clincot.phantom.v2.objects import Layout, Thing
from clincot.phantom.v2.policy.looks import chain_of
from clincot.phantom.v2.texts.answers import UNITS, in_reading_order
from clincot.phantom.v2.texts.statements import FORMS, Statement, level, said_of, shown, statement_of, write
from clincot.phantom.v2.texts.variants import CHOICES, pick, varied

CROPS, A_CROP = 4, 2  # of a group of findings, and how many texts of each
PARTS = 5
OTHERS = 5  # answers of a kind, at most
HEDGES = ("{}", "{}", "{}", "I think {}", "The answer is {}.", "{}, as far as can be seen in this image")
WORDS = ("The", "local", "image", "shows", "a", "nodule", "and", "zone", "left", "no", "is", "region", "huge", "in")


@dataclass(frozen=True)
class Text:
    """A text with its digit; `usual` is how many words texts of its kind have, `form` the wording of a finding.

    `truth`: the share of its parts that are right for the reference; `shown`: for the region that it is about.
    """

    text: str
    digit: int
    usual: int
    truth: float
    shown: float
    form: int = -1


def findings_of(layout: Layout, rng: np.random.Generator, *, sides: bool = True) -> list[Text]:
    """Return findings of several regions of one image, as the candidates of one step are, and one of no sense."""
    known = [statement_of([thing]) for thing in layout.lesions]
    made = []
    for crop in chain_of(layout, CROPS, rng):
        true = statement_of(shown(layout.lesions, crop))
        for _ in range(A_CROP):
            form = int(rng.integers(len(FORMS)))
            said = varied(true, rng)
            truth = rubric.finding_parts(said, known) / PARTS
            digit = rubric.finding_digit(said, known, sides=sides)
            made.append(Text(write(said, FORMS[form]), digit, USUAL, truth, level(said, true) / PARTS, form))
    if rng.random() < 0.3:
        made.append(Text(" ".join(rng.choice(WORDS, size=int(rng.integers(2, 9)))), 0, USUAL, 0.0, 0.0))
    return made


USUAL = 9  # words of a finding: "no nodule" has four to six, a nodule with its place ten to twelve


def answers_of(kind: str, gold: str, layout: Layout, rng: np.random.Generator, *, sides: bool = True) -> list[Text]:
    """Return the right answer and others of its kind, some in more words, and one to another question."""
    if kind == "report":
        texts = _reports(layout.lesions, rng)
    elif kind == "box":
        texts = [gold, *(_box(layout, rng) for _ in range(3))]
    else:
        texts = [gold, *(str(one) for one in rng.permutation([one for one in CHOICES[kind] if one != gold])[:OTHERS])]
    other = CHOICES[pick([name for name in CHOICES if CHOICES[name] != CHOICES.get(kind)], rng)]
    made, length = [], len(gold.split())
    for text in dict.fromkeys([*texts, pick(other, rng)]):
        digit, truth = (rubric.answer_digit(text, gold, kind, sides=seen) for seen in (sides, True))
        right = truth / rubric.TOP
        said = text if kind == "report" else pick(HEDGES, rng).format(text)
        made.append(Text(said, digit, length, right, right))
    return made


def _box(layout: Layout, rng: np.random.Generator) -> str:
    """Return the box of another object, or the true one moved a little."""
    thing = layout.things[int(rng.integers(len(layout.things)))]
    moved = rng.integers(-4, 5, 2)
    edges = [int(np.clip(UNITS * edge / 256 + moved[i % 2], 0, UNITS - 1)) for i, edge in enumerate(thing.box)]
    return " ".join(f"{edge:02d}" for edge in edges)


def _reports(nodules: Sequence[Thing], rng: np.random.Generator) -> list[str]:
    """Return the true report, that of a clear image, and three with nodules changed, left out or invented."""
    true = [statement_of([thing]) for thing in in_reading_order(nodules)]
    versions: list[list[Statement]] = [true, []]
    for _ in range(3):
        kept = [varied(one, rng) if rng.random() < 0.5 else one for one in true if rng.random() < 0.75]
        if rng.random() < 0.4:
            kept.append(varied(Statement(0), rng))
        versions.append([one for one in kept if one.number])
    return [" ".join(f"There is {said_of(one)}." for one in said) or "No nodule is seen." for said in versions]
