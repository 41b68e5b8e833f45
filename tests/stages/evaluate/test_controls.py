"""Image-free controls by hand, the ring of shuffled images, and the question prior's figures on SLAKE and VQA-RAD."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clincot.errors import DataError
from clincot.metrics.scoring.closed import RULES, is_yes_no
from clincot.metrics.scoring.open_answers import exact_match, overlap
from clincot.records import AnswerType, Example
from clincot.stages.evaluate.controls import TEMPLATE, answers, question_prior, random_report, shuffled
from tests.metrics.golden import read


def example(question: str, answer: str, answer_type: AnswerType = "closed") -> Example:
    return Example("", "", b"", question, answer, answer_type, "", "", answer)


def test_the_most_frequent_answer_wins_and_of_equal_ones_the_first() -> None:
    train = [example("Is it?", "no"), example("is it? ", "yes"), example("Where?", "left", "open")]
    train += [example("Other?", "yes"), example("Other 2?", "yes")]
    asked = [example("IS IT?", ""), example("Unseen?", ""), example("Unseen?", "", "open")]
    assert question_prior(train, asked) == ["no", "yes", "left"]
    with pytest.raises(DataError, match="no train examples"):
        question_prior([], asked)


def test_a_template_and_a_random_report_answer_reports_alone() -> None:
    asked = [replace(example("Is it?", "no"), id="1"), replace(example("Report", "clear", "report"), id="2")]
    train = [example("Report", text, "report") for text in "abcdefgh"] + [example("Is it?", "yes")]
    assert answers("constant_template", [], asked, 0) == {"2": TEMPLATE}
    drawn = {seed: answers("random_report", train, asked, seed) for seed in range(20)}
    assert {name for found in drawn.values() for name in found} == {"2"}
    assert len({found["2"] for found in drawn.values()}) > 3
    assert random_report(train, asked[1:], 3) == drawn[3]  # whatever else is asked
    with pytest.raises(DataError, match="control random_report: no train examples"):
        random_report(train[-1:], asked[1:], 0)


@pytest.mark.parametrize("images", [2, 3, 40])
def test_every_image_stands_in_for_another_one_once(images: int) -> None:
    asked = [replace(example("Is it?", "no"), id=str(i), image_id=f"image {i % images}") for i in range(3 * images)]
    shown = {name: other.image_id for name, other in shuffled(asked, 0).items()}
    assert sorted(shown) == sorted(shown.values()) == sorted({e.image_id for e in asked})
    assert all(name != other for name, other in shown.items())
    assert images < 40 or shown != {name: other.image_id for name, other in shuffled(asked, 1).items()}
    assert shuffled(asked[:1], 0) == {}


def _examples(rows: list[dict[str, Any]]) -> list[Example]:
    kinds: dict[str, AnswerType] = {"CLOSED": "closed", "OPEN": "open"}
    return [example(r["question"], str(r["answer"]), kinds[r["answer_type"].strip()]) for r in rows]


def _splits(benchmark: str) -> tuple[list[Example], list[Example]]:
    if benchmark == "slake":
        train, test = (
            [row for row in read(f"slake/{name}.json") if row["q_lang"] == "en"] for name in ("train", "test")
        )
    else:
        rows = read("vqa_rad/VQA_RAD Dataset Public.json")
        train, test = (
            [r for r in rows if r["phrase_type"].startswith("test_") is is_test] for is_test in (False, True)
        )
    return _examples(train), _examples(test)


CLOSED = {
    "slake": {"llava-med-v1": (60.3, 70.7, 0.0), "cares-yesno": (75.0, 70.7, 100.0), "": (66.1, 70.7, 39.3)},
    "vqa-rad": {"llava-med-v1": (50.4, 54.6, 0.0), "": (51.1, 54.6, 9.5)},
}
OPEN = {
    "slake": (645, (51.21, 51.67, 51.18), (51.12, 51.61, 51.09), 46.20),
    "vqa-rad": (179, (8.38, 8.57, 8.40), (8.38, 8.57, 8.40), 7.26),
}


@pytest.mark.parametrize("benchmark", CLOSED)
def test_the_measured_closed_figures_of_the_prior_are_reproduced(benchmark: str) -> None:
    train, test = _splits(benchmark)
    asked = [
        (said, e.answer) for said, e in zip(question_prior(train, test), test, strict=True) if e.answer_type == "closed"
    ]
    for rule, decide in RULES.items():
        hits = [(decide(said, gold), is_yes_no(gold)) for said, gold in asked]
        parts = ([h for h, _ in hits], [h for h, yes_no in hits if yes_no], [h for h, yes_no in hits if not yes_no])
        shares = tuple(round(100 * sum(part) / len(part), 1) for part in parts)
        assert shares == CLOSED[benchmark].get(rule, CLOSED[benchmark][""]), rule


@pytest.mark.parametrize("benchmark", OPEN)
def test_the_measured_open_figures_of_the_prior_are_reproduced(benchmark: str) -> None:
    train, test = _splits(benchmark)
    asked = [
        (said, e.answer) for said, e in zip(question_prior(train, test), test, strict=True) if e.answer_type == "open"
    ]
    n, *overlaps, exact = OPEN[benchmark]
    assert len(asked) == n
    for rule, expected in zip(("llava-med-v1", "clipped"), overlaps, strict=True):
        scores = [overlap(*pair, rule) for pair in asked]
        means = (sum(getattr(s, name) for s in scores) / n for name in ("recall", "precision", "f1"))
        assert tuple(round(100 * mean, 2) for mean in means) == expected
    for rule in ("lmms-eval", "clincot-strict"):
        assert round(100 * sum(exact_match(*pair, rule) for pair in asked) / n, 2) == exact
