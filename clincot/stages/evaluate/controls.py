"""Train examples and test examples -> answers that never saw an image: rows of every table, found without any model."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from clincot.errors import DataError
from clincot.records import Example

BLACK, SHUFFLED = "black_image", "shuffled_images"
PRIOR, CONSTANT, RANDOM = "question_prior", "constant_template", "random_report"
IMAGE_FREE = (PRIOR, CONSTANT, RANDOM)
NEED_TRAIN = (PRIOR, RANDOM)
# The constant report of docs/benchmarks.md#image-free-controls: on IU-Xray it beats every published row on ROUGE-L.
TEMPLATE = (
    "The heart size and mediastinal contours are within normal limits. The lungs are clear. There is no focal airspace"
    " consolidation. No pleural effusion or pneumothorax. No acute cardiopulmonary abnormality."
)


def reads_train(controls: Iterable[str]) -> bool:
    """Whether any of `controls` answers with train answers."""
    return any(name in NEED_TRAIN for name in controls)


def answers(name: str, train: Sequence[Example], examples: Sequence[Example], seed: int) -> dict[str, str]:
    """Return example id -> text of the image-free control `name`; it may leave questions out (reports alone)."""
    if name == PRIOR:
        return dict(zip((e.id for e in examples), question_prior(train, examples), strict=True))
    reports = [example for example in examples if example.answer_type == "report"]
    return dict.fromkeys((e.id for e in reports), TEMPLATE) if name == CONSTANT else random_report(train, reports, seed)


def question_prior(train: Sequence[Example], examples: Sequence[Example]) -> list[str]:
    """Answer each example with the most frequent train answer to the same question text.

    Of equally frequent answers the one met first in train order wins. A question that train does not have gets the most
    frequent train answer of its answer type, "" where train has none. Raises DataError without train examples.
    """
    _require(train, PRIOR)
    by_question: dict[str, Counter[str]] = defaultdict(Counter)
    by_type: dict[str, Counter[str]] = defaultdict(Counter)
    for example in train:
        by_question[_key(example)][example.answer] += 1
        by_type[example.answer_type][example.answer] += 1
    return [_most(by_question.get(_key(e)) or by_type.get(e.answer_type)) for e in examples]


def random_report(train: Sequence[Example], reports: Sequence[Example], seed: int) -> dict[str, str]:
    """Answer each study with a train report that `seed` and its id draw. Raises DataError without train reports."""
    known = [example.answer for example in train if example.answer_type == "report"]
    if reports:
        _require(known, RANDOM)
    return {e.id: random.Random(f"{seed} {e.id}").choice(known) for e in reports}


def shuffled(examples: Sequence[Example], seed: int) -> dict[str, Example]:
    """Return image id -> an example of the other image that is shown in its place; empty for a single image.

    The images are put into one ring in an order that `seed` draws, and each shows the next: every image is shown once
    and none at its own place.
    """
    first = {e.image_id: e for e in reversed(examples)}
    ring = sorted(first)
    random.Random(seed).shuffle(ring)
    return {name: first[other] for name, other in zip(ring, ring[1:] + ring[:1], strict=True)} if len(ring) > 1 else {}


def _require(train: Sequence[object], control: str) -> None:
    if not train:
        raise DataError(f"control {control}: no train examples. Give the benchmark's train split, or leave it out.")


def _key(example: Example) -> str:
    return example.question.lower().strip()


def _most(answers: Counter[str] | None) -> str:
    # Counter keeps the order of first sight among equal counts.
    return answers.most_common(1)[0][0] if answers else ""
