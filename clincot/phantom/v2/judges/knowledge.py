"""A text and the findings so far, without a reference -> the digit of a judge who has nothing else to go by."""

from __future__ import annotations

from collections.abc import Sequence

from clincot.phantom.v2.judges import rubric
from clincot.phantom.v2.judges.statements import Text
from clincot.phantom.v2.texts.answers import GRADES, MOST
from clincot.phantom.v2.texts.statements import Statement, read

UNSURE = 4
LOW, SPAN = 2, 5  # digits lie in 2..7: findings so far are no proof


def blind_digit(text: Text, kind: str, so_far: Sequence[str], *, step: bool, sides: bool = True) -> int:
    """Return the digit of a text by the findings so far: they decide some answers, and nothing about a new region."""
    said = [one for one in map(read, so_far) if one is not None]
    if step:
        return UNSURE if read(text.text) else LOW
    gold = _answer(kind, said)
    if gold is None:
        return UNSURE
    bare = text.text.removeprefix("I think ").removeprefix("The answer is ").split(",")[0]
    return LOW + round(SPAN * rubric.answer_digit(bare, gold, kind, sides=sides) / rubric.TOP)


def _answer(kind: str, said: Sequence[Statement]) -> str | None:
    """Return the answer that the findings so far give, None where they give none."""
    some = [one for one in said if one.number]
    count = sum(one.number for one in some)
    if not said or (not some and kind not in ("presence", "count")):
        return None
    largest = max(some, key=lambda one: one.size, default=Statement(0))
    left = sum(one.number if one.side == "left" else -one.number for one in some)
    answers = {
        "presence": "yes" if some else "no",
        "count": str(min(count, MOST)),
        "second": "yes" if count > 1 else "no",
        "severity": GRADES[largest.size],
        "side": largest.side,
        "zone": largest.zone,
        "larger": largest.side,
        "more": "left" if left > 0 else "right" if left < 0 else None,
    }
    return answers.get(kind)
