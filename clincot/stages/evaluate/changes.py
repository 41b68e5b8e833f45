"""Two rows of predictions -> the answers that differ, what the second row gained and lost first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from clincot.metrics.scoring.closed import default
from clincot.metrics.scoring.open_answers import exact_match
from clincot.records import Box, Example
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.results import spoken

Verdict = Literal["gained", "lost", "changed"]
ORDER: tuple[Verdict, ...] = ("gained", "lost", "changed")


@dataclass(frozen=True)
class Change:
    """One question that two rows answer differently; boxes are what each looked at, if anything."""

    example_id: str
    image_id: str
    first: str
    second: str
    verdict: Verdict
    boxes: tuple[Box | None, Box | None]


def right(example: Example, text: str) -> bool | None:
    """Whether an answer is right: the default rules of open and closed questions; None for a report."""
    if example.answer_type == "report":
        return None
    return (default if example.answer_type == "closed" else exact_match)(spoken(text), example.answer)


def changes(examples: Mapping[str, Example], first: Sequence[Prediction], second: Sequence[Prediction]) -> list[Change]:
    """Return the differing answers of questions that both rows have; without its example one is only `changed`."""
    others = {p.example_id: p for p in second}
    found = []
    for one in first:
        other = others.get(one.example_id)
        if other is None or " ".join(one.text.split()) == " ".join(other.text.split()):
            continue
        verdict = _verdict(examples.get(one.example_id), one.text, other.text)
        found.append(Change(one.example_id, one.image_id, one.text, other.text, verdict, (one.box, other.box)))
    return sorted(found, key=lambda change: ORDER.index(change.verdict))


def _verdict(example: Example | None, first: str, second: str) -> Verdict:
    before, after = (right(example, text) if example else None for text in (first, second))
    if before == after:
        return "changed"
    return "gained" if after else "lost"
