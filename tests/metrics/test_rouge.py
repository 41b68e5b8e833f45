"""ROUGE-L against rouge_score itself, the quadratic table and the published values of two report generators."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from clincot.metrics import load_score
from clincot.metrics.scoring.rouge import lcs, rouge_l_f1
from tests.metrics.golden import PUBLISHED, T6, figures, generated, reference_reports

WORDS = st.lists(st.sampled_from("abcd"), max_size=12)
SCORER = RougeScorer(["rougeL"], use_stemmer=False)


def table(first: list[str], second: list[str]) -> int:
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for j, other in enumerate(second):
            diagonal, row[j + 1] = row[j + 1], diagonal + 1 if word == other else max(row[j + 1], row[j])
    return row[-1]


@settings(max_examples=200, deadline=None)
@given(WORDS, WORDS)
def test_the_bit_parallel_subsequence_is_as_long_as_the_table_says(first: list[str], second: list[str]) -> None:
    assert lcs(first, second) == table(first, second)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab1 .-Éé\n", max_size=30), st.text(alphabet="ab1 .-Éé\n", max_size=30))
def test_rouge_l_equals_rouge_score(said: str, wanted: str) -> None:
    assert rouge_l_f1(said, wanted) == pytest.approx(SCORER.score(wanted, said)["rougeL"].fmeasure)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab1 .-_'\n", max_size=30), st.text(alphabet="ab1 .-_'\n", max_size=30))
def test_words_of_any_script_are_rouge_scores_own_on_ascii_text(said: str, wanted: str) -> None:
    assert rouge_l_f1(said, wanted, "unicode") == pytest.approx(SCORER.score(wanted, said)["rougeL"].fmeasure)


def test_the_coco_reading_favours_recall_by_its_formula() -> None:
    # LCS "no effusion" = 2: P = 2/2, R = 2/4; 2.44 * 0.5 / (0.5 + 1.44)
    assert load_score("rougeL_coco").of(["no effusion"], ["no pleural effusion seen"]) == pytest.approx(1.22 / 1.94)
    for score in (load_score("rougeL_coco"), load_score("rougeL_coco", "whitespace"), load_score("rougeL")):
        assert score.of([""], ["a"]) == score.of(["a"], [""]) == score.of([""], [""]) == score.of([" "], [" "]) == 0.0


@pytest.mark.parametrize(("system", "rouge"), [("template", "0.3437"), ("rag", "0.2055")])
def test_published_and_measured_rouge_l_is_reproduced_to_every_printed_digit(system: str, rouge: str) -> None:
    assert system in PUBLISHED
    coco = load_score("rougeL_coco", "whitespace").of(*generated(system))
    assert coco == pytest.approx(figures(system)["ROUGE_L"], abs=1e-12)
    assert f"{load_score('rougeL').of(*generated(system)):.4f}" == rouge


def test_the_measured_rouge_l_of_the_constant_template_is_reproduced() -> None:
    references = reference_reports()
    said = [T6] * len(references)
    assert f"{load_score('rougeL').of(said, references):.3f}" == "0.347"
    # The reference prints .398: its template ended in a space, an empty word for pycocoevalcap. Without it, .402.
    assert f"{load_score('rougeL_coco', 'r2gen-clean').of(said, references):.3f}" == "0.402"


def test_a_hundred_thousand_letters_take_no_table() -> None:
    words = " ".join(f"w{i % 997}" for i in range(20_000))
    assert rouge_l_f1(words, words) == 1.0
    assert 0.0 < rouge_l_f1(words, words[::-1]) < 1.0 or rouge_l_f1(words, words[::-1]) == 0.0
