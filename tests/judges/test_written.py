"""Replies that judges write -> the rating that a careful reader finds in them, or a recorded failure."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from clincot.judges._written import number_in

RATINGS = {
    "8. The statement agrees with the reference.": 8,
    "7 because the 3 cm nodule matches": 7,
    "Rating: 5\nFinal rating: 7": 7,
    "I give it a 6 out of 9.": 6,
    "The statement says 2 nodules; the reference says 3. Rating: 2": 2,
    "<think>I rate it 3</think>Rating: 8": 8,
    "I rate it 3 first ...</think>\n8": 8,
    "<thinking>5</thinking>9": 9,
    "<unused94>thought\nmaybe 4<unused95>6": 6,
    "<rating>7</rating>": 7,
    "评分：7": 7,
    "得分 8 分": 8,
    "Reviewer rated it 5, but I rate it 7": 7,
    "Rating (0-9): 6": 6,
    "0 (wrong) to 9 (right): 4": 4,
    "\\boxed{7}": 7,
    "## Rating\n7": 7,
    "7\n\nThe statement is right in 2 of 3 points": 7,
    "L4-L5 disc: 6": 6,
    "Grade 2 edema is right, 8": 8,
    "My rating: 8. The nodule measures 12 mm.": 8,
    "I cannot see the image, but by the reference I rate it 7.": 7,
    "Confidence: 90%. Rating: 6": 6,
    "rating 7 (0 = wrong, 9 = right)": 7,
    "Step 1: check 2 nodules. Step 2: rate. 7": 7,
    "٧/٩": 7,
    "0": 0,
    "9": 9,
}
FAILURES = [
    "8/10", "7 out of 10", "Score: 70/100", "4 stars", "85 percent", "Rating: 0.9", "1.0", "Rating: -1",
    "On a scale of 1 to 10: 8", "between 6 and 7", "7 or 8", "6 to 7", "less than 5", "≥7", "Rating: 10", "8;9",
    "Rating: 7 Rating: 3",
    "There are 2 lesions, so the statement is wrong.", "12 mm nodule", "8th", "T10", "2个结节", "1. The statement is",
    "not a 9 but a 7", "Rating: N/A", "Rating: eight", "I cannot rate this: 0", "I'm sorry, I can't assess image 3.",
    "<think>maybe 5", "<reasoning>It is 5, final rating 5", "right", "",
]  # fmt: skip


@pytest.mark.parametrize("reply", RATINGS)
def test_a_rating_on_the_rubrics_scale_is_read(reply: str) -> None:
    assert number_in(reply) == RATINGS[reply]


@pytest.mark.parametrize("reply", FAILURES)
def test_other_scales_refusals_counts_and_unfinished_thoughts_are_failures(reply: str) -> None:
    assert number_in(reply) is None


def test_a_number_at_the_end_of_a_cut_reply_may_be_incomplete() -> None:
    assert number_in("Rating: 1") == 1
    assert number_in("Rating: 1", cut=True) is None
    assert number_in("Rating: 1, because the", cut=True) == 1


def test_the_collected_replies_of_real_judges(shared_data: Path) -> None:
    case = shared_data.parent / "cases/judge-written-replies/case.py"
    if not case.is_file():
        pytest.skip(f"no case at {case}")
    listed = re.search(r"CASES = (\[.*?^\])", case.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert listed is not None
    wrong = [(reply, says, number_in(reply)) for reply, says in ast.literal_eval(listed[1]) if number_in(reply) != says]
    assert not wrong
