"""The normal form N against the examples measured on the original code."""

from __future__ import annotations

import pytest

from clincot.metrics.reading.normalisation import CONTRACTIONS, normalise


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("T2-weighted.", "t2 weighted"),
        ("x-ray", "x ray"),
        ("a large mass, in the left lung.", "large mass in left lung"),
        ("left-sided pleural effusion - small", "leftsided pleural effusion small"),
        ("1,000", "1000"),
        ("1, 000", "1 000"),
        ("0.5-1.2", "0.5 1.2"),
        ("A.B.", "ab"),
        ("None", "0"),
        ("dont", "don't"),
        ("the", ""),
        ("5.", "5"),
        (".5", ".5"),
        ("right:", "right:"),
    ],
)
def test_measured_examples_pass(text: str, normal: str) -> None:
    assert normalise(text) == normal


def test_only_the_first_32_periods_go() -> None:
    assert normalise("." * 40 + "x").count(".") == 8


def test_the_contraction_table_has_its_120_entries() -> None:
    assert len(CONTRACTIONS) == 120
    assert CONTRACTIONS["couldnt've"] == CONTRACTIONS["couldn'tve"] == "couldn't've"
    assert CONTRACTIONS["'ow'sat"] == "'ow's'at"
    assert [key for key in CONTRACTIONS if key != key.lower()] == ["Id've", "I'dve", "Im", "Ive"]
