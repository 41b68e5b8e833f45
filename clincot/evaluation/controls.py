"""Train examples and test examples -> answers that never saw an image: the question prior (a row of every table)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from clincot.errors import DataError
from clincot.records import Example


def question_prior(train: Sequence[Example], examples: Sequence[Example]) -> list[str]:
    """Answer each example with the most frequent train answer to the same question text.

    Of equally frequent answers the one met first in train order wins. A question that train does not have gets the most
    frequent train answer of its answer type, "" where train has none. Raises DataError without train examples.
    """
    if not train:
        raise DataError("control question_prior: no train examples. Give the benchmark's train split, or leave it out.")
    by_question: dict[str, Counter[str]] = defaultdict(Counter)
    by_type: dict[str, Counter[str]] = defaultdict(Counter)
    for example in train:
        by_question[_key(example)][example.answer] += 1
        by_type[example.answer_type][example.answer] += 1
    return [_most(by_question.get(_key(e)) or by_type.get(e.answer_type)) for e in examples]


def _key(example: Example) -> str:
    return example.question.lower().strip()


def _most(answers: Counter[str] | None) -> str:
    # Counter keeps the order of first sight among equal counts.
    return answers.most_common(1)[0][0] if answers else ""
