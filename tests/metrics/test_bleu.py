"""BLEU against nltk itself, the published values of two report generators and the measured control figures."""

from __future__ import annotations

import pytest
from nltk.translate.bleu_score import corpus_bleu, sentence_bleu

from clincot.metrics import load_score
from clincot.metrics.reading.tokens import tokens
from tests.metrics.golden import PUBLISHED, T5, T6, figures, generated, reference_reports

SAID = ["the heart is normal in size .", "no effusion", "The lungs are clear. No acute pneumothorax."]
WANTED = ["heart size is normal .", "there is no pleural effusion .", "The lungs are clear. No pneumothorax."]
NAMES = ("1", "2", "3", "4", "mean")


def weights(order: int, individual: bool) -> list[float]:
    return [0.0] * (order - 1) + [1.0] if individual else [1 / order] * order


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("individual", [False, True])
def test_corpus_bleu_from_summed_counts_equals_nltk(order: int, individual: bool) -> None:
    references = [[tokens(text)] for text in WANTED]
    expected = corpus_bleu(references, [tokens(text) for text in SAID], weights=weights(order, individual))
    name = f"bleu_individual_{order}" if individual else f"bleu{order}"
    assert load_score(name).of(SAID, WANTED) == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("individual", [False, True])
def test_mean_sentence_bleu_equals_the_mean_of_nltk(order: int, individual: bool) -> None:
    pairs = zip(SAID, WANTED, strict=True)
    values = [sentence_bleu([tokens(g)], tokens(p), weights=weights(order, individual)) for p, g in pairs]
    name = f"bleu_sentence_{'individual_' if individual else ''}{order}"
    assert load_score(name).of(SAID, WANTED) == pytest.approx(sum(values) / len(values), abs=1e-9)


def test_a_mean_is_the_mean_of_its_four_orders() -> None:
    for kind in ("bleu_individual_", "bleu_sentence_", "bleu_sentence_individual_"):
        values = [load_score(f"{kind}{n}").of(SAID, WANTED) for n in NAMES]
        assert values[4] == pytest.approx(sum(values[:4]) / 4)


def test_equal_texts_score_one_and_empty_texts_zero() -> None:
    long = ["the heart is normal in size"]
    for kind in ("bleu", "bleu_individual_", "bleu_sentence_", "bleu_sentence_individual_"):
        score = load_score(f"{kind}4")
        assert score.of(long, long) == pytest.approx(1.0)
        assert score.of([""], long) == score.of(long, [""]) == score.of([], []) == 0.0


@pytest.mark.parametrize("system", PUBLISHED)
def test_published_bleu_is_reproduced_to_every_printed_digit(system: str) -> None:
    for order in range(1, 5):
        value = load_score(f"bleu{order}", "whitespace").of(*generated(system))
        assert value == pytest.approx(figures(system)[f"Bleu_{order}"], abs=1e-9)  # pycocoevalcap adds 1e-9 to counts


# Means that the reference took of rounded values (26.35, 16.25) are left out.
CONTROLS = [
    (T5, "whitespace", "bleu{}", "37.0 24.2 16.7 11.8 22.4"),
    (T5, "wordpunct", "bleu{}", "51.7 36.1 25.9 19.2 33.2"),
    (T5, "whitespace", "bleu_individual_{}", "37.0 15.8 8.0 4.2"),
    (T5, "wordpunct", "bleu_individual_{}", "51.7 25.2 13.3 7.9 24.5"),
    (T6, "r2gen-clean", "bleu{}", "45.2 31.8 22.8 16.9 29.2"),
    (T6, "r2gen-clean", "bleu_sentence_{}", "42.3 29.3 20.1 13.7"),
]


@pytest.mark.parametrize(("text", "kind", "name", "measured"), CONTROLS)
def test_the_measured_figures_of_the_constant_template_are_reproduced(
    text: str, kind: str, name: str, measured: str
) -> None:
    references = reference_reports()
    printed = measured.split()
    names = [name.format("_mean" if n == "mean" and name == "bleu{}" else n) for n in NAMES[: len(printed)]]
    values = [load_score(n, kind).of([text] * len(references), references) for n in names]
    assert [f"{100 * value:.1f}" for value in values] == printed


def test_the_mean_of_sentences_moves_with_the_tokens_as_measured() -> None:
    references = reference_reports()
    said = [T5] * len(references)
    values = [load_score("bleu_sentence_mean", kind).of(said, references) for kind in ("whitespace", "wordpunct")]
    assert [f"{100 * value:.1f}" for value in values] == ["17.9", "27.8"]
