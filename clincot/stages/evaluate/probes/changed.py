"""Two answers to one question -> whether they say different things."""

from __future__ import annotations

from collections.abc import Iterable

from clincot.chain.thoughts import without_thoughts
from clincot.metrics.findings.labeler import positives
from clincot.metrics.reading.final import final_answer
from clincot.metrics.reading.words import words
from clincot.metrics.reading.yes_no import verdict, whole_yes_no
from clincot.records import Example
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.results import spoken


def changed(example: Example, before: str, after: str) -> bool:
    """Return whether the answers differ: yes against no, other words, or other findings that a report states."""
    return _says(example, before) != _says(example, after)


def changes_of(
    examples: dict[str, Example], before: Iterable[Prediction], after: Iterable[Prediction]
) -> dict[str, float]:
    """Return example id -> 1 where the answer changed, 0 where it did not, of the questions that both answer."""
    first = {p.example_id: p.text for p in before}
    return {
        p.example_id: float(changed(examples[p.example_id], first[p.example_id], p.text))
        for p in after
        if p.example_id in first and p.example_id in examples
    }


def _says(example: Example, text: str) -> object:
    said = spoken(without_thoughts(text))
    if example.answer_type == "report":
        return positives(said)
    if whole_yes_no(example.answer):
        return verdict(said)
    return words(final_answer(said))
