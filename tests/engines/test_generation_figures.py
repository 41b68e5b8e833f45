"""`perf/generation.py` at a small size: the same texts three ways, and how much less is read and encoded."""

from __future__ import annotations

import pytest

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
