"""What is known about a phantom, the question and a statement -> the digit a careful judge would give.

9 or 8: supported and on the question. 3 to 5: true, but no help with the question, or only half of the answer.
0 to 2: contradicted, invented, or no statement at all. The rubric is ours; policies are never scored by it directly,
only through the judges that were trained on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from clincot.phantom.drawing.findings import FINDINGS

Place = tuple[str, str]  # side and zone
UNSURE = 4


@dataclass(frozen=True)
class Knowledge:
    """What a reference contains: findings that are there, with places where given, and findings that it leaves open."""

    places: Mapping[str, Place]
    unknown: frozenset[str] = frozenset()

    @property
    def there(self) -> frozenset[str]:
        """The findings that the reference affirms."""
        return frozenset(self.places)


def step_digit(named: Iterable[str], asked: str, known: Knowledge) -> int:
    """Rate "The local image shows ..." that names `named`; `asked` is the finding in question, "" for the whole image.

    A region need not show what the image shows: "no abnormality" with an affirmed finding is of no help, not wrong.
    """
    said = frozenset(named)
    wrong = said - known.there - known.unknown
    right = said & known.there
    if wrong:
        helpful = bool(right) and (asked in right or not asked)
        return 2 if helpful else int(asked not in wrong)
    if said & known.unknown:
        return UNSURE
    return _nothing_digit(asked, known) if not said else _true_digit(said, asked, known)


def _nothing_digit(asked: str, known: Knowledge) -> int:
    if asked:
        return 4 if asked in known.there | known.unknown else 8
    return 3 if known.there or known.unknown else 9


def _true_digit(said: Set[str], asked: str, known: Knowledge) -> int:
    if asked in said:
        return 9
    if asked:
        # True, and no answer to the question: as good as silence, which for a text-only judge equals a true "nothing".
        return _nothing_digit(asked, known)
    return 9 if said == known.there else 8


def placed_digit(name: str, place: Place, asked: str, known: Knowledge) -> int:
    """Rate "There is a NAME in the SIDE ZONE zone": a wrong side is an error, a wrong zone nearly one."""
    if name not in known.there:
        return step_digit([name], asked, known)
    side, zone = known.places[name]
    if not side:
        return UNSURE + 2  # there, but the reference does not say where
    if place[0] != side:
        return 1
    return 3 if place[1] != zone else step_digit([name], asked, known)


def zone_digit(place: Place, truth: Place) -> int:
    """Rate the answer SIDE ZONE to "where is it?"; an empty zone is a coarse answer."""
    if place[0] != truth[0]:
        return int(place[1] == truth[1])
    if not place[1]:
        return 5
    return 9 if place[1] == truth[1] else 3


def open_digit(named: Iterable[str], truth: Iterable[str]) -> int:
    """Rate an answer that lists findings against those that are there."""
    said, there = frozenset(named), frozenset(truth)
    if said == there:
        return 9
    if not said or not said & there:
        return 0
    return 5 if said < there else 2


def report_digit(said: Mapping[str, Place], truth: Mapping[str, Place]) -> int:
    """Rate a report: 4 off for a finding missed or invented, 2 off for a finding in the wrong place."""
    errors = 0.0
    for name in FINDINGS:
        if (name in said) != (name in truth):
            errors += 1
        elif name in said and said[name] != truth[name]:
            errors += 0.5
    return max(0, round(9 - 4 * errors))


def presence_digit(said_yes: bool, asked: str, known: Knowledge) -> int:
    """Rate "yes" or "no" to a question about `asked` ("" asks whether anything is abnormal)."""
    if asked in known.unknown or (not asked and known.unknown and not known.there):
        return UNSURE
    there = asked in known.there if asked else bool(known.there)
    return 9 if said_yes == there else 0


def blind_digit(digit: int) -> int:
    """Without a reference only the findings so far speak: the same digit, drawn together to 2..7."""
    return 2 + round(digit * 5 / 9)
