"""`perf/generation.py` at a small size: the same texts three ways, and how much less is read and encoded."""

from __future__ import annotations

import pytest

from perf import class_walks
from perf.generation import QUICK, compare, ratios

pytestmark = pytest.mark.long


def test_fixed_hypotheses_take_a_fifteenth_of_the_prompt_tokens_and_a_hundredth_of_the_encodes():
    found = ratios(compare(QUICK, entities=False))  # compare refuses texts that differ
    assert found["prefill"] >= 15
    assert found["encodes"] >= 100


def test_hypotheses_named_by_each_question_share_less_but_still_most():
    found = ratios(compare(QUICK, entities=True))
    assert found["prefill"] >= 12
    assert found["encodes"] >= 40


@pytest.mark.parametrize("name", ["llava_next_mistral", "gemma3", "idefics3"])
def test_other_classes_read_each_image_once_and_fewer_tokens(name: str) -> None:
    found = class_walks.compare(name, again=1)  # it refuses texts that differ
    assert isinstance(found, class_walks.Compared)
    assert found.shared.encodes == 4  # the whole image and three regions
    assert found.whole.prefill >= 1.7 * found.shared.prefill


def test_a_class_that_shares_nothing_says_why() -> None:
    assert class_walks.compare("paligemma", again=1) == (
        "its processor writes other tokens for a whole prompt than for its text and each image"
    )
