"""Normal forms of other toolkits against the expressions they use."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from clincot.metrics.reading.exact import without_brackets
from clincot.metrics.scoring.closed import _inside

TEXTS = st.text(alphabet="a()（）{}b ", max_size=14)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_brackets_go_as_the_quadratic_expression_takes_them(text: str) -> None:
    assert without_brackets(text) == re.sub(r"\([^)]*\)|（[^）]*）", " ", text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["boxed{", "}", "a", "{", " "]), max_size=8).map("".join))
def test_boxed_text_is_found_as_the_quadratic_expression_finds_it(text: str) -> None:
    inside = re.search(r"boxed\{(.*?)\}", text, re.DOTALL)
    assert _inside(text, "boxed{", "}") == (inside.group(1) if inside else text)
