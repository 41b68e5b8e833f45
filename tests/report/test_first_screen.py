"""What a person reads first: whether training helped is said as the interval says it, at every width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from clincot.report.first_screen import first_screen
from clincot.stages.evaluate import Evaluation, Prediction, Result
from clincot.stages.evaluate.results import Comparison, Row

LABEL = "clincot-v2"
BLACK, PRIOR = "black_image", "question_prior"


def _evaluation(
    rows: dict[Row, float],
    difference: tuple[float, float, float] | None = None,
    *,
    metric: str = "accuracy",
    against: tuple[Comparison, ...] = (),
) -> Evaluation:
    """An evaluation of 6 questions about 3 images; `difference` is the newest policy minus the first."""
    results = tuple(
        Result("lamps", LABEL, metric, row.policy, row.inference, value, value - 0.1, value + 0.1, 6, row.control)
        for row, value in rows.items()
    )
    own = [row for row in rows if row.policy and not row.control]
    compared = against
    if difference:
        compared += (Comparison(LABEL, metric, own[-1].policy, own[-1].inference, own[0].policy, *difference, 6),)
    predictions = tuple(
        Prediction(f"q{i}", f"i{i % 3}", row.policy, row.inference, "yes", (), None, None, row.control)
        for row in rows
        for i in range(6)
    )
    questions = {f"i{i}": 2 for i in range(3)}
    return Evaluation("lamps", LABEL, "test", results, compared, predictions, {}, {}, questions)


TWO = {Row("base", "region"): 0.812, Row("round-1", "region"): 0.82, Row("round-2", "region"): 0.838}


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        ((0.026, 0.004, 0.049), "Round 2 answers 2.6 points better than the base (+0.4 to +4.9) on 6 questions of 3"),
        ((-0.026, -0.049, -0.004), "Round 2 answers 2.6 points worse than the base (-4.9 to -0.4) on 6 questions of 3"),
        ((0.026, 0.0, 0.049), "Round 2 is not shown to differ from the base: +2.6 points (+0.0 to +4.9) on 6"),
        ((0.0, float("nan"), float("nan")), "Round 2 is not shown to differ from the base: +0.0 points"),
    ],
)
def test_the_sentence_says_what_the_interval_says(difference: tuple[float, float, float], sentence: str) -> None:
    screen = first_screen(_evaluation(TWO | {Row("round-2", "region", BLACK): 0.47}, difference))
    assert screen and sentence in screen.sentences[0]
    assert screen.sentences[0].endswith("; without the image it would score 47.0.")


def test_a_policy_alone_is_scored_and_not_compared() -> None:
    screen = first_screen(_evaluation({Row("base", "direct"): 0.5, Row("", "", PRIOR): 0.25}))
    assert screen and screen.sentences == (
        "The base scores 50.0 (40.0 to 60.0) in accuracy on 6 questions of 3 images; from the question alone it would"
        " score 25.0.",
    )
    assert screen.grid == (["", "base", "question only"], [["accuracy", "50.0", "25.0"]])
    assert "asked directly" in screen.heading


def test_a_policy_that_does_not_beat_its_blind_self_is_not_praised_alone() -> None:
    blind = Comparison(LABEL, "accuracy", "round-2", "region", BLACK, 0.01, -0.02, 0.04, 6)
    screen = first_screen(_evaluation(TWO, (0.026, 0.004, 0.049), against=(blind,)))
    assert screen and "not shown to be better than a control that does not see the image" in screen.sentences[1]


def test_reports_have_the_name_of_their_measure() -> None:
    screen = first_screen(_evaluation(TWO, (0.1, 0.05, 0.15), metric="bleu_mean"))
    assert screen and screen.sentences[0].startswith(
        "Round 2 scores 10.0 points better than the base (+5.0 to +15.0) in report BLEU on"
    )


def test_nothing_counted_is_no_screen() -> None:
    assert first_screen(_evaluation({Row("", "", PRIOR): 0.25})) is None
    assert first_screen(_evaluation({Row("base", "region"): float("nan")})) is None


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_no_line_is_wider_than_the_terminal_and_the_ends_stay(width: int) -> None:
    many = {Row("base", "region"): 0.812} | {Row(f"round-{k}", "region"): 0.8 + k / 100 for k in range(1, 10)}
    found = _evaluation(many | {Row("round-9", "region", BLACK): 0.47}, (0.08, 0.01, 0.15))
    screen = first_screen(replace(found, benchmark="OWNER/a-long-name-of-a-benchmark"))
    assert screen
    lines = screen.lines(width)
    text = "\n".join(lines)
    assert all(cell_len(line) <= width for line in lines) and "…" not in text
    assert all(number in text for number in ("81.2", "89.0", "47.0", "+8.0"))
    assert ("81.0" in text) == (width == 160)  # rounds in between leave first
