"""Tokenisations against the steps written down for R2Gen and the template's tokens of a published report."""

from __future__ import annotations

import pytest
from nltk.translate.bleu_score import sentence_bleu

from clincot.errors import ClincotError
from clincot.metrics import load_score
from clincot.metrics.reading.tokens import r2gen_clean, tokens
from tests.metrics.golden import T6, read, reference_reports


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("The heart is normal. No effusion.", "the heart is normal . no effusion ."),
        ("1. Clear lungs. 2. No effusion. 3. Normal.", "clear lungs . no effusion . normal ."),
        ("Clear lungs 2. No effusion..", "clear lungs . no effusion ."),
        ("X-ray: \"XXXX\" 5/10 'mm' (a) [b] {c}, 3;", "x-ray xxxx 510 mm a b c 3 ."),
        ("A. . B", "a . . b ."),
        ("T12 < 5 @ home?", "t12 5 home ."),
        ("", ""),
        (" . ", ""),
    ],
)
def test_r2gen_cleaning_follows_its_steps(text: str, cleaned: str) -> None:
    assert r2gen_clean(text) == cleaned.split()


def test_punctuation_marks_are_tokens_one_by_one() -> None:
    assert tokens("No effusion.. 5-10") == ["no", "effusion", ".", ".", "5", "-", "10"]
    assert tokens("No  effusion.", "whitespace") == ["No", "effusion."]


def test_the_template_cleans_to_the_published_template() -> None:
    published = next(iter(read("report_golden/template_test_result.json").values()))[0]
    raw = published.replace(" .", ".")
    assert " ".join(r2gen_clean(raw.capitalize())) == published.strip()


def test_unknown_tokens_are_refused_with_a_near_name() -> None:
    with pytest.raises(ClincotError, match="Did you mean 'r2gen-clean'"):
        tokens("a", "r2gen_clean")


def test_unicode_tokens_are_wordpuncts_on_real_reports_and_blind_to_dress() -> None:
    reports = [report for report in reference_reports() if "<" not in report]
    assert [tokens(report, "unicode") for report in reports] == [tokens(report, "wordpunct") for report in reports]
    assert tokens("**No** “effusion”。", "unicode") == tokens('no "effusion".', "unicode")
    assert tokens("双肺清晰，T2", "unicode") == ["双", "肺", "清", "晰", ",", "t2"]


def test_medevalkits_sentence_bleu_is_nltks_over_its_own_words() -> None:
    def words(text: str) -> list[str]:
        return [word for word in text.lower().replace(".", " .").split(" ") if word]

    references = reference_reports()[:60]
    for n in (1, 2, 3, 4):
        theirs = [sentence_bleu([words(r)], words(T6), weights=[1 / n] * n) for r in references]
        ours = load_score(f"bleu_sentence_{n}", "medevalkit")
        assert ours.of([f"Findings:{T6}"] * 60, references) == pytest.approx(sum(theirs) / 60, abs=1e-12)
