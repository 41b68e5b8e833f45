"""Examples -> questions with their gold answer and a wrong one, which judges are tried on; their requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from clincot.chain.layout import Display
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.trust import Trust, trust
from clincot.methods.base import Rate
from clincot.methods.text_key import text_key
from clincot.records import Example, read_images
from clincot.records.lineage import content_key
from clincot.stages.sample.judged import judged

LOOKED, PER_QUESTION = 1000, 20  # questions among which a wrong answer is looked for: the search is quadratic


@dataclass(frozen=True)
class Labelled:
    """A question with its gold answer and a wrong one."""

    example: Example
    right: str
    wrong: str


def labelled(examples: Sequence[Example], count: int, seed: int) -> list[Labelled]:
    """Return up to `count` questions in an order drawn by `seed`.

    A wrong answer is that of another question of the same answer type, the first in that order whose words are neither
    among those of the gold answer nor hold them ("right" and "the right lung" may both be right). Of a large benchmark
    the first of that order are looked at.
    """
    drawn = sorted(examples, key=lambda example: content_key(seed, example.id))[: LOOKED + PER_QUESTION * count]
    words = [frozenset(text_key(example.answer).split()) for example in drawn]
    found = []
    for place, example in enumerate(drawn):
        others = chain(range(place + 1, len(drawn)), range(place))
        same = (other for other in others if drawn[other].answer_type == example.answer_type)
        wrong = next((other for other in same if _contradict(words[place], words[other])), None)
        if wrong is not None:
            found.append(Labelled(example, example.answer, drawn[wrong].answer))
        if len(found) == count:
            break
    return found


def requests_of(rates: Iterable[tuple[Labelled, Rate]], display: Display) -> list[tuple[Labelled, JudgeRequest]]:
    """Return each question with the request about its right answer; those whose image cannot be read are left out."""
    found = []
    for question, rate in rates:
        if display.gallery.unreadable(question.example.id):  # the build names them when it comes to them
            continue
        found.append((question, judged(replace(rate, text=question.right), display)))
    return found


def with_images(questions: Sequence[Labelled]) -> list[Labelled]:
    """Return the questions with their images read."""
    read = read_images([question.example for question in questions])
    return [replace(question, example=example) for question, example in zip(questions, read, strict=True)]


def both_ways(asked: Sequence[tuple[Labelled, JudgeRequest]]) -> list[JudgeRequest]:
    """Return the requests about all right answers, then those about all wrong ones."""
    right = [request for _, request in asked]
    return right + [replace(request, statement=question.wrong) for question, request in asked]


def trust_of(asked: Sequence[tuple[Labelled, JudgeRequest]], ratings: Sequence[Rating], **how: Any) -> Trust:
    """Return what the ratings of `both_ways` say of their judge; `how` goes to `trust` (resamples, seed, paired)."""
    images = [question.example.image_id for question, _ in asked]
    return trust(ratings[: len(asked)], ratings[len(asked) :], images, **how)


def _contradict(gold: frozenset[str], other: frozenset[str]) -> bool:
    return bool(gold and other) and not gold <= other and not other <= gold
