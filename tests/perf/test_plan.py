"""The plan for ten million questions: its page shows what `perf/plan.py` computes, from counts of the real method."""

from __future__ import annotations

import pytest
from tree import ROOT

from perf.block_cache import tokens_read
from perf.plan import RATES, plan, tables
from perf.prefix_orders import BLOCK, asked_by, in_order
from perf.scaled_chain import Size


def test_the_page_shows_what_the_program_computes() -> None:
    page = (ROOT / "docs/ten-million.md").read_text(encoding="utf-8")
    for table in tables(plan(10_000_000)).split("\n\n"):
        assert table in page


def test_every_rate_says_where_it_is_from() -> None:
    assert {rate.kind for rate in RATES.values()} == {"measured", "counted", "assumed"}
    assert all(rate.source for rate in RATES.values())


def test_lines_grow_with_the_questions() -> None:
    one, two = plan(1_000_000), plan(2_000_000)
    assert [line.value * 2 for line in one] == pytest.approx([line.value for line in two])


def test_the_counts_are_those_of_the_real_method() -> None:
    images, questions = 4, int(RATES["per_image"].value)
    calls = asked_by(Size(images, questions, candidates=6, steps=2, samples=2), images)
    prompts = [prompt for call in calls for prompt in in_order(call)]
    total = images * questions
    assert len(prompts) / total == RATES["asked"].value
    assert sum(map(len, prompts)) / total == pytest.approx(RATES["prompts"].value, rel=0.01)
    assert tokens_read(prompts, BLOCK) / total == pytest.approx(RATES["read"].value, rel=0.02)
