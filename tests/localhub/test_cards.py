"""Front matter becomes JSON-safe data, and text made to hurt the reader is refused quickly."""

from __future__ import annotations

import json

import pytest

from clincot.localhub.cards.card import card_data, complaints, front_matter, tags_of


def test_front_matter_becomes_plain_json():
    text = "---\ndate: 2026-01-02\nscore: .nan\n1: {a: [x, 2]}\n---\nbody"
    assert json.loads(json.dumps(front_matter(text))) == {"date": "2026-01-02", "score": "nan", "1": {"a": ["x", 2]}}
    assert front_matter("no card") is None


@pytest.mark.parametrize(
    "yaml",
    [
        "a: &a [x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\n"
        "c: &c [*b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c]\n"
        "e: &e [*d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f]",
        "a: &a [*a]",
        "[" * 2000,
        "a: [",
        "a: 2026-99-99",
        "!!python/object/apply:os.system [ls]",
    ],
)
def test_hostile_front_matter_is_a_complaint_not_a_crash(yaml: str):
    text = f"---\n{yaml}\n---\n"
    assert complaints(text, "model")
    assert card_data(text.encode()) is None


def test_complaints_name_the_key():
    assert complaints("---\nlicense: mit\n---\n", "model") == []
    assert "license" in complaints("---\nlicense: {a: b}\n---\n", "dataset")[0]
    assert "model-index" in complaints("---\nmodel-index: x\n---\n", "model")[0]


def test_tags_are_those_by_which_an_adapter_is_found():
    card = {
        "tags": ["lora"],
        "base_model": "a/b",
        "base_model_relation": "adapter",
        "datasets": ["c/d"],
        "license": "mit",
    }
    assert tags_of(card) == ["lora", "license:mit", "base_model:a/b", "dataset:c/d", "base_model:adapter:a/b"]
