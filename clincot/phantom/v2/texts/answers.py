"""The nodules of an image and a kind of question -> its answer, or None where the question cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from clincot.phantom.drawing.anatomy import SIDES, SIZE, ZONES
from clincot.phantom.v2.objects import Thing
from clincot.phantom.v2.texts.statements import said_of, statement_of

RATIO = (1.15, 2.0)  # of the radii of the two largest nodules
MOST = 4
GRADES = ("mild", "mild", "moderate", "moderate", "severe")  # of the disease, by the size of the largest nodule
UNITS = 100  # a box is written in hundredths of the image's side


def presence(nodules: Sequence[Thing]) -> str | None:
    """Is there a nodule?"""
    return "yes" if nodules else "no"


def side(nodules: Sequence[Thing]) -> str | None:
    """On which side is the only nodule?"""
    return nodules[0].side if len(nodules) == 1 else None


def zone(nodules: Sequence[Thing]) -> str | None:
    """In which zone is the only nodule?"""
    return nodules[0].zone if len(nodules) == 1 else None


def larger(nodules: Sequence[Thing]) -> str | None:
    """On which side is the larger of the two largest, where they lie on both sides and differ by RATIO?"""
    first, second = _two_largest(nodules)
    if first is None or second is None or first.side == second.side:
        return None
    return first.side if RATIO[0] <= first.radius / second.radius <= RATIO[1] else None


def count(nodules: Sequence[Thing]) -> str | None:
    """How many nodules?"""
    return str(min(len(nodules), MOST))


def more(nodules: Sequence[Thing]) -> str | None:
    """Which of the two sides has more nodules, where there are two or more and the sides differ?"""
    left = sum(thing.side == "left" for thing in nodules)
    right = len(nodules) - left
    return None if len(nodules) < 2 or left == right else "left" if left > right else "right"


def second(nodules: Sequence[Thing]) -> str | None:
    """Is there a second nodule?"""
    return None if not nodules else "yes" if len(nodules) > 1 else "no"


def severity(nodules: Sequence[Thing]) -> str | None:
    """How severe is it, by the largest nodule?"""
    return GRADES[max(thing.quintile for thing in nodules)] if nodules else None


def box(nodules: Sequence[Thing]) -> str | None:
    """Where is the only nodule: left, upper, right, lower in hundredths of the side?"""
    if len(nodules) != 1:
        return None
    found = nodules[0].box
    low = [int(UNITS * edge / SIZE) for edge in found[:2]]
    high = [min(UNITS - 1, -int(-UNITS * edge // SIZE)) for edge in found[2:]]
    return " ".join(f"{edge:02d}" for edge in (*low, *high))


def report(nodules: Sequence[Thing]) -> str | None:
    """The report: a sentence a nodule, from the right upper to the left lower zone, the larger first."""
    if not nodules:
        return "No nodule is seen."
    return " ".join(f"There is {said_of(statement_of([thing]))}." for thing in in_reading_order(nodules))


def in_reading_order(nodules: Iterable[Thing]) -> list[Thing]:
    """Return the nodules as a report names them."""
    return sorted(nodules, key=lambda t: (SIDES.index(t.side), ZONES.index(t.zone), -t.radius))


def _two_largest(nodules: Sequence[Thing]) -> tuple[Thing | None, Thing | None]:
    known: list[Thing | None] = [*sorted(nodules, key=lambda thing: -thing.radius), None, None]
    return known[0], known[1]


ANSWERS: dict[str, Callable[[Sequence[Thing]], str | None]] = {
    "presence": presence,
    "side": side,
    "zone": zone,
    "larger": larger,
    "count": count,
    "more": more,
    "second": second,
    "severity": severity,
    "box": box,
    "report": report,
}
