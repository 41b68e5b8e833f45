"""Marks: undecided where a paired difference holds 0, below where a control is better, by the measure's direction."""

from __future__ import annotations

import pytest

from clincot.stages.evaluate import Evaluation
from clincot.stages.evaluate.marks import against_controls
from clincot.stages.evaluate.results import Comparison, Row


def evaluation(*comparisons: Comparison) -> Evaluation:
    return Evaluation("phantom", "clincot-v1", "test", (), comparisons, (), {}, {})


def difference(metric: str, low: float, high: float, against: str = "black_image") -> Comparison:
    return Comparison("clincot-v1", metric, "base", "direct", against, (low + high) / 2, low, high, 9)


@pytest.mark.parametrize(
    ("metric", "low", "high", "mark"),
    [
        ("closed_accuracy", 0.01, 0.2, ""),
        ("closed_accuracy", -0.01, 0.2, "°"),
        ("closed_accuracy", 0.0, 0.0, "°"),
        ("closed_accuracy", float("nan"), float("nan"), "°"),
        ("closed_accuracy", -0.2, -0.01, "▼"),
        ("hallucination_rate", -0.2, -0.01, ""),
        ("hallucination_rate", 0.01, 0.2, "▼"),
        ("closed_unparsed", -0.1, 0.1, ""),  # a count
    ],
)
def test_the_mark_says_how_a_result_stands_to_its_control(metric: str, low: float, high: float, mark: str) -> None:
    found = against_controls(evaluation(difference(metric, low, high)), "clincot-v1")
    against = found.get((Row("base", "direct"), metric))
    assert (against.mark if against else "") == mark


def test_one_control_of_several_is_enough_and_another_policy_is_no_control() -> None:
    told = evaluation(
        difference("open_recall", 0.1, 0.2),
        difference("open_recall", -0.1, 0.2, "question_prior"),
        difference("open_recall", -0.3, -0.2, "shuffled_images"),
        difference("open_f1", -0.1, 0.1, "round-1"),
    )
    found = against_controls(told, "clincot-v1")
    assert found[Row("base", "direct"), "open_recall"] == (("question_prior",), ("shuffled_images",))
    assert (Row("base", "direct"), "open_f1") not in found
