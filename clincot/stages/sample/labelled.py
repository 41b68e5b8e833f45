"""Examples -> questions with their gold answer and a wrong one, which judges are tried on; their requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from clincot.chain.layout import Display
from clincot.errors import UnreadableImage
from clincot.judges.base import JudgeRequest
from clincot.methods.base import Rate
from clincot.methods.text_key import text_key
from clincot.records import Example
from clincot.records.lineage import content_key
from clincot.stages.sample.judged import judged


@dataclass(frozen=True)
class Labelled:
    """A question with its gold answer and a wrong one."""

    example: Example
    right: str
    wrong: str


def labelled(examples: Sequence[Example], count: int, seed: int) -> list[Labelled]:
    """Return up to `count` questions in an order drawn by `seed`.

    A wrong answer is that of another question of the same answer type, the first in that order whose words are neither
    among those of the gold answer nor hold them ("right" and "the right lung" may both be right).
    """
    drawn = sorted(examples, key=lambda example: content_key(seed, example.id))
    found = []
    for place, example in enumerate(drawn):
        others = (*drawn[place + 1 :], *drawn[:place])
        wrong = next((other.answer for other in others if _contradicts(example, other)), None)
        if wrong is not None:
            found.append(Labelled(example, example.answer, wrong))
        if len(found) == count:
            break
    return found


def requests_of(rates: Iterable[tuple[Labelled, Rate]], display: Display) -> list[tuple[Labelled, JudgeRequest]]:
    """Return each question with the request about its right answer; those whose image cannot be read are left out."""
    found = []
    for question, rate in rates:
        try:
            display.gallery.image(question.example.id)
        except UnreadableImage:  # the build names them when it comes to them
            continue
        found.append((question, judged(replace(rate, text=question.right), display)))
    return found


def _contradicts(example: Example, other: Example) -> bool:
    if other.answer_type != example.answer_type or other.id == example.id:
        return False
    gold, wrong = (set(text_key(text).split()) for text in (example.answer, other.answer))
    return bool(gold and wrong) and not gold <= wrong and not wrong <= gold
