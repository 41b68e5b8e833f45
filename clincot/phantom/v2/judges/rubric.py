"""What a reference holds and what a text says -> the digit that a careful judge gives, who never sees the region.

Ours. A finding is rated by its best match among the reference's nodules: 2, 4, 5, 7 or 9 for one to five right parts,
0 for a nodule where the reference has none. "No nodule" is right where the reference has none; elsewhere a region need
not show what the image shows, so it counts as three right parts, which most regions bear out. With `sides` False left
and right are the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from clincot.phantom.drawing.anatomy import SIDES
from clincot.phantom.v2.gates.looking import overlap
from clincot.phantom.v2.texts.statements import Statement, read

PARTS = (0, 2, 4, 5, 7, 9)  # digit by the number of right parts
SILENT = 3  # parts, of "no nodule" where the reference has one: six of ten regions of such images show none
CLOSE = 4  # an answer that is next to the right one
OFF_TYPE = 1
TOP = 9
ORDERED = (("0", "1", "2", "3", "4"), ("mild", "moderate", "severe"))
SENTENCE = re.compile(r"[^.]+")


def finding_parts(said: Statement | None, known: Sequence[Statement], *, sides: bool = True) -> int:
    """Return how many of the five parts of `said` are right for the nodule of `known` that it fits best.

    `known`: one statement for each nodule of the reference.
    """
    if said is None:
        return 0
    if said.number == 0:
        return SILENT if known else 5
    return max((_fit(said, one, known, sides) for one in known), default=0)


def finding_digit(said: Statement | None, known: Sequence[Statement], *, sides: bool = True) -> int:
    """Return the digit of a finding."""
    return PARTS[finding_parts(said, known, sides=sides)]


def _fit(said: Statement, one: Statement, known: Sequence[Statement], sides: bool) -> int:
    near = sum((other.zone, other.side) == (one.zone, one.side) for other in known)
    place = (said.side == one.side or not sides) + (said.zone == one.zone)
    return 1 + (said.size == one.size) + place + (said.number <= near)


def answer_digit(text: str, gold: str, kind: str, *, sides: bool = True) -> int:
    """Return the digit of an answer to a question of `kind`: a near number or grade and a near box are half right."""
    said = text.strip().lower().rstrip(".")
    if kind == "report":
        return report_digit(text, gold, sides=sides)
    if kind == "box":
        return _box_digit(said, gold)
    if said == gold or (not sides and said in SIDES and gold in SIDES):
        return TOP
    for order in ORDERED:
        if said in order and gold in order:
            return CLOSE if abs(order.index(said) - order.index(gold)) == 1 else 0
    return 0 if _like(said) == _like(gold) else OFF_TYPE


def report_digit(text: str, gold: str, *, sides: bool = True) -> int:
    """Return the digit of a report: the mean share of right parts, over the nodules of the longer of the two."""
    if not text.strip():
        return 0
    named, known = sentences(text), [one for one in sentences(gold) if one is not None]
    rest, right = list(known), 0.0
    for one in named:
        if one is None or not rest:
            continue
        best = max(rest, key=lambda other: _fit(one, other, [other], sides))
        right += (_fit(one, best, [best], sides) - 1) / 4
        rest.remove(best)
    most = max(len(known), len(named))
    return TOP if not most else round(TOP * right / most)


def sentences(text: str) -> list[Statement | None]:
    """Return what each sentence of a report says, None for what cannot be read; "No nodule is seen." says nothing."""
    found = [read(part) for part in SENTENCE.findall(text) if part.strip()]
    return [one for one in found if one is None or one.number]


def _box_digit(said: str, gold: str) -> int:
    edges = [[int(part) for part in text.split() if part.isdigit()] for text in (said, gold)]
    return round(TOP * overlap(*edges)) if len(edges[0]) == 4 else OFF_TYPE


def _like(text: str) -> str:
    """Return the kind of answer that a text is, so that "left" is a wrong side and no answer to a count."""
    kinds = {"yes": "yes or no", "no": "yes or no", "left": "side", "right": "side"}
    kinds |= dict.fromkeys(("upper", "middle", "lower"), "zone") | {one: str(o) for o in ORDERED for one in o}
    return kinds.get(text, "other")
