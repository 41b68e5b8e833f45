"""Any editor's texts that say the same again are failures, and too many of them stop the build."""

from __future__ import annotations

import pytest

from clincot.editors.base import LEAST, UNCHANGED, RewriteRequest
from clincot.errors import ModelError
from clincot.stages.sample.rewriting import Rewriting
from tests.methods.small_worlds import Editor


def request(text: str) -> RewriteRequest:
    return RewriteRequest(text, "Where?", 0)


def test_the_same_words_with_other_marks_are_the_same_text() -> None:
    editor = Editor({"left lung": "Left, lung.", "right": "right?", "no": "…", "1.5 cm": "2.5 cm"})
    made = Rewriting(editor)([request(text) for text in ("left lung", "right", "no", "1.5 cm", "new")])
    assert [one.text for one in made] == [None, "right?", None, "2.5 cm", None]
    assert {one.failure for one in made if one.text is None} == {UNCHANGED}


def test_most_texts_unchanged_stop_the_work_once_there_are_enough() -> None:
    rewriting = Rewriting(Editor({"left": "right"}))
    rewriting([request("left")] * (LEAST // 2))
    rewriting([request("same")] * (LEAST // 2))  # half of them
    with pytest.raises(ModelError, match=f"editor table: 11 of {LEAST + 1} texts came back unchanged. Name another"):
        rewriting([request("same")])
