"""Questions of test and train, and answers -> accuracy where a question's text, or its template, is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from clincot import protocols
from clincot.chain.question_templates import BLANK, template_of
from clincot.records import Example
from clincot.stages.evaluate.controls import PRIOR
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.probes.base import MEAN, Line, Probed
from clincot.stages.evaluate.results import Row, Scoring, Term

PROBE = "templates"
ACCURACY, GAINED = "accuracy", "accuracy gained over {}"
MEASURE = next(m for m in protocols.load("clincot").measures if m.name == "accuracy")


def _text(question: str) -> str:
    return " ".join(question.lower().split())


KEYS: dict[str, Callable[[str], str]] = {"text": _text, "template": template_of}


def _readable(examples: Sequence[Example]) -> bool:
    """Return whether most questions have a template: words that ask, of a language that they are known of."""
    return sum(template_of(example.question) != BLANK for example in examples) * 2 > len(examples)


def _keys(examples: Sequence[Example]) -> dict[str, Callable[[str], str]]:
    return {name: key for name, key in KEYS.items() if name != "template" or _readable(examples)}


def unseen(examples: Sequence[Example], train: Sequence[Example], key: Callable[[str], str]) -> set[str]:
    """Return the ids of the examples whose question has a text or template (`key`) that no train question has."""
    known = {key(example.question) for example in train}
    return {example.id for example in examples if key(example.question) not in known}


def notes(examples: Sequence[Example], train: Sequence[Example]) -> list[str]:
    """Return how many questions are new, by text and by template, and how many templates there are."""
    lines = []
    if not _readable(examples):
        lines.append(
            "probe `templates`: most questions have no word that is known to ask, in English or Chinese, so there is no"
            " number of templates"
        )
    for name, key in _keys(examples).items():
        new, of_train = unseen(examples, train, key), {key(example.question) for example in train}
        images = len({example.image_id for example in examples if example.id in new})
        shown = f"{len(new)} of {len(examples)} ({images} of the images)"
        lines.append(f"Questions whose {name} is unseen in training ({len(of_train)} there): {shown}.")
    return lines


def measure(
    examples: Sequence[Example],
    train: Sequence[Example],
    rows: Mapping[Row, Sequence[Prediction]],
    scoring: Scoring,
) -> Iterator[Probed]:
    """Yield, per row, the accuracy on new questions against that on known ones, and what it gains.

    The question prior is a row too: it says how hard the new questions are without the image.
    """
    policies = [row for row in rows if row.policy and not row.control]
    terms = {row: scoring.terms(MEASURE, rows[row]) for row in rows if row in policies or row.control == PRIOR}
    for name, key in _keys(examples).items():
        new = unseen(examples, train, key)
        what, control = f"{name} unseen in training", f"{name} seen"
        for row, found in terms.items():
            called = "question prior" if row.control else row.policy
            line = Line(PROBE, ACCURACY, what, control, called, row.inference)
            yield from _split(line, scoring, found, new)
        for row in policies:
            first = Row(policies[0].policy, row.inference)
            if first != row and first in terms:
                line = Line(PROBE, GAINED.format(first.policy), what, control, row.policy, row.inference, "points")
                yield from _split(line, scoring, _minus(terms[row], terms[first]), new)


def _split(line: Line, scoring: Scoring, terms: Sequence[Term], new: set[str]) -> Iterator[Probed]:
    score = scoring.resampling.score
    parts = ([(e, t) for e, t in terms if (e.id in new) == wanted] for wanted in (True, False))
    first, second = (score(some, MEAN) for some in parts)
    if first is not None and second is not None:
        yield line.probed(first, second)


def _minus(terms: Sequence[Term], others: Sequence[Term]) -> list[Term]:
    """Return the differences of two rows' right answers on the questions that both answer."""
    before = {example.id: values for example, values in others}
    return [(e, (values[0] - before[e.id][0], 1.0)) for e, values in terms if e.id in before]
