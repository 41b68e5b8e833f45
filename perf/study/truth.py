"""A text about a drawn image -> how true it is: of the region that it is about, or as the answer to its question."""

from __future__ import annotations

from collections import Counter
from functools import cache

from clincot.phantom.texts.questions import Question
from clincot.phantom.v2.gates.looking import right
from clincot.phantom.v2.objects import Layout, Thing
from clincot.phantom.v2.texts.statements import PARTS, Statement, level, read, shown, statement_of
from clincot.records import Box, Example
from study.world import layout_of

cached_layout = cache(layout_of)


def finding_level(text: str, layout: Layout, box: Box) -> int:
    """Return how many of the five parts of a finding are right for what its region shows."""
    return level(read(text), statement_of(shown(layout.lesions, box)))


def is_right(example: Example, text: str) -> bool:
    """Return whether a text answers the question; a report is right where it names every nodule and no other."""
    if example.answer_type == "report":
        hits, extra, missed = report_counts(text, layout_of(example.image_id).lesions)
        return extra == missed == 0
    return right(Question(example.question, example.answer, example.answer_type, example.kind, "nodule"), text.strip())


def report_counts(text: str, lesions: tuple[Thing, ...]) -> tuple[int, int, int]:
    """Return how many nodules a report names with side, zone and size, how many it invents and how many it misses."""
    said = [read(sentence) for sentence in text.split(".") if sentence.strip()]
    named: Counter[Statement] = Counter()
    for one in said:
        if one is None:
            named[Statement(-1)] += 1
        elif one.number:
            named[Statement(1, one.size, one.side, one.zone)] += one.number
    known = Counter(statement_of([thing]) for thing in lesions)
    hits = sum((named & known).values())
    return hits, sum(named.values()) - hits, sum(known.values()) - hits


def truth(example: Example, text: str, box: Box | None, *, last: bool) -> float:
    """Return the truth of a candidate in [0, 1]: an answer is right or wrong, a report its F1, a finding its parts."""
    layout = cached_layout(example.image_id)
    if not last:
        return finding_level(text, layout, box) / PARTS if box else 0.0
    if example.answer_type != "report":
        return float(is_right(example, text))
    hits, extra, missed = report_counts(text, layout.lesions)
    return 2 * hits / (2 * hits + extra + missed) if hits + extra + missed else 1.0
