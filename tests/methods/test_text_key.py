"""When two candidates say the same: words, numbers and signs of any script count, the rest does not."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from clincot.methods.pairing import distinct
from clincot.methods.text_key import text_key
from clincot.records import Candidate

CHINESE = ("左肺有一个结节。", "右侧胸腔积液。", "心脏增大。", "未见异常。", "右肺实变。", "左侧气胸。")
OTHERS = (
    "Узел в левом лёгком.", "Выпот справа.", "عقدة في الرئة اليسرى.", "القلب متضخم.", "फेफड़े में गांठ", 
    "폐 결절이 있습니다.", "Πνευμονία", "ปอดอักเสบ",
)  # fmt: skip
SAME = [
    ("A nodule.", "**a** NODULE"),
    ("左肺有一个结节。", "左肺有一个结节"),
    ("ground-glass opacity", "Ground glass opacity"),
    ("≥ 3 cm", ">=3 cm"),
    ("－３ HU", "-3 hu"),
    ("“Yes”, there is", "yes there is"),
    ("> No nodule", "No nodule"),
    ("Café", "Cafe\u0301"),
    ("ﬁssure", "fissure"),
]
DIFFERENT = [
    ("< 3 cm", "> 3 cm"),
    ("1.5 cm", "15 cm"),
    (".5 cm", "5 cm"),
    ("-3 HU", "3 HU"),
    ("50 %", "50"),
    ("3-4 mm", "3 4 mm"),
    ("10/20", "10 20"),
    ("no change ± 2", "no change 2"),
    ("pneumothorax?", "pneumothorax"),
    ("CO2 ↑", "CO2 ↓"),
    ("HER2+", "HER2"),
]


def candidate(text: str, score: float, number: int) -> Candidate:
    return Candidate(f"q/1/{number}", "q", 1, text, None, (), None, None, score=score)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_case_punctuation_and_width_do_not_make_a_text(one: str, other: str) -> None:
    assert text_key(one) == text_key(other) != ""


@pytest.mark.parametrize(("one", "other"), [*DIFFERENT, *combinations((*CHINESE, *OTHERS), 2)])
def test_words_numbers_and_signs_of_any_script_do(one: str, other: str) -> None:
    assert text_key(one) != text_key(other)


def test_texts_without_any_word_equal_nothing_and_the_best_of_equal_texts_stays() -> None:
    texts = ("...", "—", "结节。", "结节", "积液", "结节！")
    scores = (0.1, 0.2, 0.3, 0.9, 0.4, 0.5)
    scored = [candidate(text, score, i) for i, (text, score) in enumerate(zip(texts, scores, strict=True))]
    assert [c.id for c in distinct(scored)] == ["q/1/0", "q/1/1", "q/1/3", "q/1/4"]
    assert distinct([replace(c, score=None) for c in scored]) == []
