"""Two answers to one question -> whether they say different things."""

from __future__ import annotations

from collections.abc import Iterable

from clincot.chain.thoughts import without_thoughts
from clincot.metrics.findings.labeler import stated_findings
from clincot.metrics.reading.final import final_answer
from clincot.metrics.reading.words import is_chinese, words
from clincot.metrics.reading.yes_no import verdict, whole_yes_no
from clincot.records import Example
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.results import spoken

CHEST = ("chest x-ray", "phantom")  # whose reports the labels are made for


def changed(example: Example, before: str, after: str) -> bool:
    """Return whether the answers differ: yes against no, other words, or other findings that a report states.

    Words count where rules cannot tell: of two answers that say neither yes nor no, and of two reports without a label
    that are not about the chest, or not in English.
    """
    if example.answer_type == "report":
        return _reports_differ(example, *(_said(text) for text in (before, after)))
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


def _said(text: str) -> str:
    return spoken(without_thoughts(text)).strip()


def _says(example: Example, text: str) -> object:
    said = _said(text)
    known = verdict(said) if whole_yes_no(example.answer) else None
    return words(final_answer(said)) if known is None else known


def _reports_differ(example: Example, before: str, after: str) -> bool:
    labels = [stated_findings(text) for text in (before, after)]
    if any(labels) or not (before and after):
        return labels[0] != labels[1] or bool(before) != bool(after)
    read = example.modality in CHEST and not is_chinese(before + after)
    return not read and words(before) != words(after)
