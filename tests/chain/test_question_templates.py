"""Templates of questions: what asks is kept, what is asked about is a blank."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clincot.chain.question_templates import template_of
from clincot.stages.evaluate.probes.templates import KEYS


@pytest.mark.parametrize(
    ("question", "template"),
    [
        ("Is there a nodule in the left lung?", "is there _ in _"),
        ("is there an  effusion in the liver ?", "is there _ in _"),
        ("Does the picture contain liver?", "does _ contain _"),
        ("What color is it?", "what _ is it"),
        ("Which is bigger in this image, lung or heart?", "which is _ in this _ or _"),
        ("图片中包含肝脏吗?", "_ 中 包含 _ 吗"),
        ("图片中包含脾脏吗?", "_ 中 包含 _ 吗"),
        ("这张MRI图片用的什么加权方式?", "这张 _ 的 什么 _"),
        ("???", ""),
    ],
)
def test_a_template_keeps_the_words_that_ask(question: str, template: str) -> None:
    assert template_of(question) == template


def test_slakes_test_questions_have_nearly_no_new_template(shared_data: Path) -> None:
    train, test = (
        [
            one["question"]
            for one in json.loads((shared_data / "slake" / f"{split}.json").read_text())
            if one["q_lang"] == "en"
        ]
        for split in ("train", "test")
    )
    counts = {}
    for name, key in KEYS.items():
        known = {key(question) for question in train}
        counts[name] = (len(known), sum(key(question) not in known for question in test))
    assert counts["text"][1] == 64 and len(test) == 1061
    assert counts["template"] == (140, 4)
