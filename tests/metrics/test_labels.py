"""Label F1 and the rates of invented and missed findings against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from clincot.errors import ClincotError
from clincot.metrics import load_score
from clincot.metrics.scoring.labels import FIVE, macro_f1, micro_f1
from tests.metrics.golden import T5, generated, reference_reports

SAID = ["Cardiomegaly. Small effusion.", "Possible pneumonia.", "The lungs are clear."]
WANTED = ["Cardiomegaly. Atelectasis.", "Pneumonia.", "Left effusion."]


def test_micro_and_macro_f1_follow_their_formulas() -> None:
    # hits: cardiomegaly, pneumonia. extra: effusion, No Finding. missed: atelectasis, effusion.
    assert load_score("chexpert_micro_f1").of(SAID, WANTED) == pytest.approx(2 * 2 / (2 * 2 + 2 + 2))
    # labels that occur: cardiomegaly 1, pneumonia 1, effusion 0, No Finding 0, atelectasis 0
    assert load_score("chexpert_macro_f1").of(SAID, WANTED) == pytest.approx(2 / 5)


def test_a_doubted_finding_counts_by_the_rule() -> None:
    # without the doubted pneumonia: one hit, two extra, three missed
    assert micro_f1("uncertain-negative").of(SAID, WANTED) == pytest.approx(2 / (2 + 2 + 3))
    assert micro_f1(labels=FIVE).of(SAID, WANTED) == pytest.approx(2 / (2 + 1 + 2))
    assert macro_f1(labels=FIVE).of(SAID, WANTED) == pytest.approx(1 / 3)
    with pytest.raises(ClincotError, match="Did you mean 'uncertain-negative'"):
        load_score("hallucination_rate", "uncertain_negative").of(SAID, WANTED)


def test_invented_and_missed_findings_are_shares_of_those_said_and_wanted() -> None:
    assert load_score("hallucination_rate").of(SAID, WANTED) == pytest.approx(1 / 3)  # effusion of three said
    assert load_score("omission_rate").of(SAID, WANTED) == pytest.approx(2 / 4)  # atelectasis, effusion of four wanted
    for name in ("hallucination_rate", "omission_rate"):
        assert load_score(name).of([""], [""]) == 0.0


def test_resamples_are_recomputed_from_summed_terms() -> None:
    """The bootstrap multiplies counts of images by terms: a resample equals scoring its reports anew."""
    for name in ("chexpert_micro_f1", "chexpert_macro_f1", "hallucination_rate", "bleu_individual_2"):
        score = load_score(name)
        terms = np.array([score.terms(*pair) for pair in zip(SAID, WANTED, strict=True)])
        counts = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
        again = [score.of([SAID[0], SAID[0], SAID[2]], [WANTED[0], WANTED[0], WANTED[2]])]
        again.append(score.of([SAID[1]] * 3, [WANTED[1]] * 3))
        assert score.value(counts @ terms) == pytest.approx(again)


def test_the_degenerate_template_scores_zero_as_published() -> None:
    """The published CheXbert micro F1 of this template is 0.0 although its BLEU-4 is .18."""
    assert load_score("chexpert_micro_f1").of(*generated("template")) == 0.0
    assert load_score("omission_rate").of(*generated("template")) == 1.0


def test_a_normal_template_misses_every_finding_of_the_test_split() -> None:
    references = reference_reports()
    said = [T5] * len(references)
    assert micro_f1(labels=FIVE).of(said, references) == 0.0
    assert load_score("omission_rate").of(said, references) == 1.0
