"""What a region shows -> the sentence about it, the sentence's parts, and how many of its five parts are right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.v2.objects import Thing
from clincot.records import Box

SIZES = ("tiny", "small", "medium", "large", "huge")  # fifths of the law of radii
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
PARTS = 5  # finding, side, zone, size band, number
FORMS = ("The local image shows {}.", "This region shows {}.", "Seen here: {}.", "The region contains {}.")
UNSEEN_FORMS = ("One can make out {} in this part.", "There appears to be {} at this place.")  # never trained on
WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Statement:
    """What is said of a region: how many nodules, and the size (0 to 4), side and zone of the largest; 0 says none."""

    number: int
    size: int = 0
    side: str = ""
    zone: str = ""


def shown(things: Iterable[Thing], box: Box) -> tuple[Thing, ...]:
    """Return the things whose centre lies in `box`, in their order."""
    return tuple(t for t in things if box.left <= t.centre[0] < box.right and box.upper <= t.centre[1] < box.lower)


def statement_of(nodules: Sequence[Thing]) -> Statement:
    """Return what is to be said of a region that shows `nodules`."""
    if not nodules:
        return Statement(0)
    largest = max(nodules, key=lambda thing: thing.radius)
    return Statement(len(nodules), largest.quintile, largest.side, largest.zone)


def said_of(statement: Statement) -> str:
    """Return the words for it, such as "two small nodules in the left upper zone"."""
    if statement.number == 0:
        return "no nodule"
    noun = "nodule" if statement.number == 1 else "nodules"
    size, number = SIZES[statement.size], NUMBERS[statement.number]
    return f"{number} {size} {noun} in the {statement.side} {statement.zone} zone"


def write(statement: Statement, form: str = FORMS[0]) -> str:
    """Return the sentence of `form` that says `statement`."""
    return form.format(said_of(statement))


def read(text: str) -> Statement | None:
    """Return what `text` says, in any wording; None where a part is missing or is there twice."""
    words = WORD.findall(text.lower())
    numbers = [words.index(name) for name in NUMBERS if _before_nodule(words, name)]
    if len(numbers) != 1:
        return None
    number = NUMBERS.index(words[numbers[0]])
    if number == 0:
        return Statement(0)
    parts = [[name for name in names if name in words] for names in (SIZES, SIDES, ZONES)]
    if any(len(part) != 1 for part in parts):
        return None
    return Statement(number, SIZES.index(parts[0][0]), parts[1][0], parts[2][0])


def _before_nodule(words: Sequence[str], number: str) -> bool:
    """Whether `number` counts nodules here: "one can see two nodules" says two."""
    nouns = ("nodule", "nodules")
    following = [words[i + 1 : i + 3] for i, word in enumerate(words) if word == number]
    return any(after[:1] and (after[0] in nouns or after[1:] and after[1] in nouns) for after in following)


def level(said: Statement | None, true: Statement) -> int:
    """Return how many of the five parts of `said` are right, 0 to 5.

    Who sees a nodule that is absent, or misses one, has no part right; an unreadable text has none either.
    A right "no nodule" has nothing more to say and all parts right.
    """
    if said is None or (said.number > 0) != (true.number > 0):
        return 0
    pairs = [(said.number, true.number), (said.size, true.size), (said.side, true.side), (said.zone, true.zone)]
    return 1 + sum(a == b for a, b in pairs)
