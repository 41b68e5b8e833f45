"""Report scores against nltk itself and the published values of two report generators."""

from __future__ import annotations

import numpy as np
import pytest
from nltk.translate.bleu_score import corpus_bleu

from clincot.metrics import load_score
from clincot.metrics._reports import tokens
from tests.metrics.golden import read

SAID = ["the heart is normal in size .", "no effusion", "The lungs are clear. No pneumothorax."]
WANTED = ["heart size is normal .", "there is no pleural effusion .", "The lungs are clear. No acute pneumothorax."]
PUBLISHED = {
    "template": ("template_test_result", "template_test_refs", "template_test_summary", 0.4422, 0.3437),
    "rag": ("rag_top20_test_preds", "rag_top20_test_refs", "rag_top20_test_metrics", 0.3093, 0.2055),
}


@pytest.mark.parametrize("order", [1, 2, 3])
def test_corpus_bleu_from_summed_counts_equals_nltk(order: int) -> None:
    references = [[tokens(text)] for text in WANTED]
    expected = corpus_bleu(references, [tokens(text) for text in SAID], weights=[1 / order] * order)
    assert load_score(f"bleu{order}").of(SAID, WANTED) == pytest.approx(expected, abs=1e-12)


def test_equal_texts_score_one_and_empty_texts_zero() -> None:
    long = ["the heart is normal in size"]
    for name in ("bleu_mean", "rougeL"):
        assert load_score(name).of(long, long) == pytest.approx(1.0)
    for name in ("bleu_mean", "rougeL", "meteor"):
        assert load_score(name).of([""], long) == 0.0
        assert load_score(name).of(long, [""]) == 0.0
        assert load_score(name).of([], []) == 0.0


def test_a_newline_in_a_prediction_changes_nothing() -> None:
    for name in ("bleu4", "rougeL", "meteor"):
        score = load_score(name)
        assert score.terms("the lungs\nare clear", WANTED[2]) == score.terms("the lungs are clear", WANTED[2])


@pytest.mark.parametrize("system", PUBLISHED)
def test_published_bleu_and_measured_meteor_and_rouge_are_reproduced(system: str) -> None:
    predictions, references, figures, meteor, rouge = PUBLISHED[system]
    said, wanted = read(f"report_golden/{predictions}.json"), read(f"report_golden/{references}.json")
    published = read(f"report_golden/{figures}.json")
    texts = [said[key][0] for key in wanted], [wanted[key][0] for key in wanted]
    bleu = load_score("bleu_mean", "whitespace")
    sums = np.sum([bleu.terms(*pair) for pair in zip(*texts, strict=True)], axis=0)
    for order in range(1, 5):
        value = float(load_score(f"bleu{order}", "whitespace").value(sums))
        assert value == pytest.approx(published[f"Bleu_{order}"], abs=5e-5)
    assert round(load_score("rougeL").of(*texts), 4) == rouge
    assert round(load_score("meteor", "whitespace").of(*texts), 4) == meteor
