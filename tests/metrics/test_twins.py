"""The same answers plain, bold, quoted, full-width, dashed and punctuated -> the same scores under clincot-v2."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clincot.metrics import load_score
from tests.metrics.golden import read, released

Pairs = list[tuple[str, str]]
FULL_WIDTH = {code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)} | {ord(" "): "\u3000"}
TWINS: dict[str, Callable[[str], str]] = {
    "bold": "**{}**".format,
    "emphasis": "_{}_".format,
    "straight quotes": '"{}"'.format,
    "curly quotes": "“{}”".format,
    "single curly quotes": "‘{}’".format,
    "corner quotes": "「{}」".format,
    "full width": lambda text: text.translate(FULL_WIDTH),
    "dash before": "— {}".format,
    "dash after": "{}—".format,
    "bullet": "- {}".format,
    "full stop": "{}.".format,
    "Chinese full stop": "{}。".format,
    "exclamation": "{}!".format,
    "thought": "<think>no, yes, left</think>{}".format,
    "box": "\\boxed{{{}}}".format,
}
LABELLED: dict[str, Callable[[str], str]] = {
    "label": "Answer: {}".format,
    "bold label": "**Answer:** {}".format,
    "Chinese label": "答案：{}".format,
}
MEASURES = (
    ("CLOSED", "closed_accuracy"),
    ("CLOSED", "closed_unparsed"),
    ("OPEN", "open_exact"),
    ("OPEN", "open_exact_unordered"),
    ("OPEN", "open_recall"),
    ("OPEN", "open_f1"),
)


def scores(pairs: dict[str, Pairs], twin: Callable[[str], str]) -> list[float]:
    found = []
    for kind, name in MEASURES:
        said, golds = zip(*pairs[kind], strict=True)
        found.append(100 * load_score(name, "clincot-v2").of([twin(text) for text in said], golds))
    return found


def slake(language: str) -> dict[str, Pairs]:
    rows = [row for row in read("slake/test.json") if row["q_lang"] == language]
    return {
        kind: [(row["answer"], row["answer"]) for row in rows if row["answer_type"] == kind]
        for kind in ("OPEN", "CLOSED")
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_slakes_golds_are_right_in_every_dress(language: str) -> None:
    pairs = slake(language)
    for name, twin in {"plain": str, **TWINS, **LABELLED}.items():
        assert scores(pairs, twin) == pytest.approx([100, 0, 100, 100, 100, 100]), name


@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_released_answers_to_vqa_rad_score_alike_in_every_dress(side: str) -> None:
    pairs: dict[str, Pairs] = {"OPEN": [], "CLOSED": []}
    for text, gold, kind in released("vqa-rad", side)[::4]:
        pairs[kind].append((text, gold))
    plain = scores(pairs, str)
    for name, twin in TWINS.items():
        assert scores(pairs, twin) == pytest.approx(plain, abs=0.5), name


def test_every_closed_gold_of_slake_is_read_as_itself() -> None:
    from clincot.metrics.reading.yes_no import verdict, whole_yes_no

    golds = {row["answer"] for part in ("train", "validate", "test") for row in read(f"slake/{part}.json")}
    known = {gold: whole_yes_no(gold) for gold in golds if whole_yes_no(gold)}
    assert len(known) == 17
    assert {gold: verdict(gold) for gold in known} == known
