"""The order in which a chain looks at the regions of its image."""

from __future__ import annotations

import pytest

from clincot.chain.looking import ranked, region_of
from clincot.records import Box, Region


def region(hypothesis: str, confidence: float, left: int = 0) -> Region:
    return Region(hypothesis, Box(left, 0, left + 5, 5), confidence)


FOUND = [
    region("effusion", 0.5),
    region("nodule", 0.2),
    region("effusion", 0.5, left=20),  # a second component of the same map
    region("pneumothorax", 0.9),
    region("cardiomegaly", 0.5),
]


@pytest.mark.parametrize(
    ("question", "order"),
    [
        ("Is there a nodule?", [1, 3, 0, 2, 4]),  # the named one first, the others by confidence, ties as they came
        ("Is there an effusion or a nodule?", [1, 0, 2, 3, 4]),  # in the order of ENTITIES, not of the question
        ("Is the image normal?", [3, 0, 2, 4, 1]),
        ("Is there a fracture?", [3, 0, 2, 4, 1]),  # named, but not looked for
    ],
)
def test_what_the_question_names_comes_first_then_the_most_confident(question: str, order: list[int]) -> None:
    assert ranked(question, FOUND) == [FOUND[at] for at in order]


def test_nothing_found_is_nothing_ranked() -> None:
    assert ranked("Is there a nodule?", []) == []


def test_all_steps_look_at_the_best_region_or_each_at_the_best_that_is_left() -> None:
    best, next_best = FOUND[3], FOUND[0]
    assert [region_of(step, [best, next_best], "one") for step in (1, 2, 3)] == [best] * 3
    assert [region_of(step, [best, next_best], "each") for step in (1, 2, 3, 4)] == [best, next_best, best, best]
