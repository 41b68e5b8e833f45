"""Open-question scores against hand-made cases and the measured table of released texts."""

from __future__ import annotations

import pytest

from clincot.errors import ClincotError
from clincot.metrics.scoring.open_answers import exact_match, overlap, parts_found, same_parts
from tests.metrics.golden import released


def test_repeating_a_right_word_raises_recall_only_in_the_bug_compatible_rule() -> None:
    said, gold = "lung lung lung", "left lung"
    assert overlap(said, gold).recall == 0.5
    assert overlap(said, gold, "llava-med-v1").recall == 0.75  # 3 / (3 + 1)


def test_an_empty_side_scores_zero_and_never_matches() -> None:
    assert overlap("", "lung").recall == overlap("lung", "").f1 == 0.0
    assert not exact_match("", "")
    assert not exact_match("the", "a")


def test_an_unknown_rule_is_refused_with_a_near_name() -> None:
    with pytest.raises(ClincotError, match="Did you mean 'llava-med-v1'"):
        overlap("lung", "lung", "llava-med")


@pytest.mark.parametrize(
    ("said", "gold", "hit", "share"),
    [
        ("spinal cord, lung", "Lung, Spinal Cord", True, 1.0),
        ("The lung and the spinal cord.", "Lung, Spinal Cord", True, 1.0),
        ("lung", "Lung, Spinal Cord", False, 0.5),
        ("lung, lung", "Lung, Spinal Cord", False, 0.5),
        ("lung, spinal cord, liver", "Lung, Spinal Cord", False, 1.0),
        ("cord spinal, lung", "Lung, Spinal Cord", False, 0.5),
        ("Lung", "lung", True, 1.0),
        ("", "lung", False, 0.0),
        ("", ", the", False, 0.0),
    ],
)
def test_lists_are_compared_in_any_order(said: str, gold: str, hit: bool, share: float) -> None:
    assert same_parts(said, gold) is hit
    assert parts_found(said, gold) == share


TABLE = {
    ("slake", "chosen"): ((89.45, 78.58, 81.14), (89.40, 78.33, 80.86), 71.98, 67.47),
    ("slake", "rejected"): ((13.12, 3.13, 4.68), (12.26, 2.75, 4.11), 0.03, 0.03),
    ("vqa-rad", "chosen"): ((96.15, 91.58, 92.80), (96.15, 91.41, 92.61), 87.14, 84.68),
    ("vqa-rad", "rejected"): ((18.61, 6.14, 8.32), (18.16, 5.85, 7.92), 0.00, 0.00),
}


@pytest.mark.parametrize(("benchmark", "side"), TABLE)
def test_the_measured_open_table_is_reproduced_to_the_printed_digit(benchmark: str, side: str) -> None:
    asked = [(text, gold) for text, gold, kind in released(benchmark, side) if kind == "OPEN"]

    def overlaps(rule: str) -> tuple[float, ...]:
        scores = [overlap(*pair, rule) for pair in asked]
        sums = (sum(getattr(s, name) for s in scores) for name in ("recall", "precision", "f1"))
        return tuple(round(100 * total / len(asked), 2) for total in sums)

    def exact(rule: str) -> float:
        return round(100 * sum(exact_match(*pair, rule) for pair in asked) / len(asked), 2)

    measured = (overlaps("llava-med-v1"), overlaps("clipped"), exact("lmms-eval"), exact("clincot-strict"))
    assert measured == TABLE[benchmark, side]
