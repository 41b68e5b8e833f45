"""Every score under empty, huge, foreign and hostile texts: no crash, in range, blind to order and to copies."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clincot.metrics import METRICS, SCORES, load, load_score
from clincot.metrics.reading.tokens import TOKENS
from clincot.metrics.scoring.closed import RULES
from clincot.metrics.scoring.open_answers import EXACT
from tests.metrics.inputs import GROUNDING, runnable

RULED = [("closed_accuracy", rule) for rule in RULES]
RULED += [("open_exact", rule) for rule in EXACT] + [("open_recall", "llava-med-v1"), ("open_f1", "llava-med-v1")]
RULED += [(name, kind) for name in ("bleu4", "rougeL_coco", "meteor") for kind in TOKENS]
RULED += [("chexpert_micro_f1", "uncertain-negative"), ("chexpert_micro_f1", "uncertain-positive-v1")]
RULED += [("open_recall", "clincot-v2"), ("open_f1", "paper-v2"), ("open_precision", "medevalkit-v2")]
RULED += [("open_exact_unordered", "clincot-v2"), ("closed_unparsed", "clincot-v2"), ("rougeL", "unicode")]
ALL = [(name, "") for name in runnable(SCORES)] + RULED
HOSTILE = (
    "", " ", "\n\n\t\r", "\x00", ".", "....", ",;:!?", "()", "((((", "boxed{", "<answer>", "<image>\n<image>",
    "<|im_end|>", "[IMG] [/INST]", "0", "1. 2. 3.", "99999", "no", "yes", "not only", "No effusion.",
    "effusion\neffusion", "heart", "heart is not enlarged", "\u202eoisuffe",
    "\ufeffyes", "﷽", "Ünïcode é", "日本語 肺炎", "是", "🫁🫁", "a\u0300",
    "<think>", "</think>yes", "<think>a</think>no", "Answer:", "\\boxed{\\boxed{yes}",
    "yes or no", "是否", "不是", "🇩🇪", "हिन्दी",
    "XXXX", "None", "'ow's'at", "1,000.5", "y" * 50, "effusion or " * 9, "\ud800",
)  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=40), st.lists(st.sampled_from(HOSTILE), max_size=4).map(" ".join)
)
PAIRS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4)
HUGE = 100_000
BOMBS = {
    "words": "the heart is not enlarged no effusion ", "letters": "y", "brackets": "(", "foreign brackets": "（",
    "boxed": "boxed{", "answers": "<answer>", "full stops": ".", "numbers": "1. 2. ", "commas": "1,1 ", "spaces": " ",
    "lines": "\n", "negations": "no not without ", "mentions": "effusion ", "stems": "enlarg", "hearts": "heart ",
    "lists": "no effusion, small ", "and": "and ", "foreign": "肺", "quotes": "\"'/\\", "image tokens": "<image>",
    "thoughts": "<think>", "ended thoughts": "</think>", "labels": "Answer: ",
    "headings": "# answer\n", "options": "yes or ",
    "alternatives": "effusion or ", "reasons": "reason: ", "dashes": "-", "apostrophes": "a'",
    "not yes": "not really yes ",
    "Chinese no": "不", "Chinese labels": "答案是",
    "box": "\\boxed{", "braces": "{", "tags": "<a ", "backslashes": "\\a",
}  # fmt: skip


def value(name: str, rule: str, pairs: list[tuple[str, str]]) -> float:
    return load_score(name, rule).of([p for p, _ in pairs], [g for _, g in pairs])


def check(name: str, rule: str, pairs: list[tuple[str, str]], rng: object) -> None:
    whole = value(name, rule, pairs)
    assert 0.0 <= whole <= 1.0 + 1e-9
    mixed = [*pairs]
    rng.shuffle(mixed)
    assert value(name, rule, mixed) == pytest.approx(whole, abs=1e-9)
    assert value(name, rule, pairs * 2) == pytest.approx(whole, abs=1e-9)


@pytest.mark.parametrize(("name", "rule"), ALL)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(PAIRS, st.randoms(use_true_random=False))
def test_a_score_keeps_its_range_and_ignores_order_and_copies(
    name: str, rule: str, pairs: list[tuple[str, str]], rng: object
) -> None:
    check(name, rule, pairs, rng)


@pytest.mark.long
@pytest.mark.parametrize(("name", "rule"), ALL)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(PAIRS, st.randoms(use_true_random=False))
def test_a_score_keeps_its_laws_over_many_texts(
    name: str, rule: str, pairs: list[tuple[str, str]], rng: object
) -> None:
    check(name, rule, pairs, rng)


@pytest.mark.parametrize(("name", "rule"), ALL)
def test_every_hostile_text_is_scored_against_a_report_and_itself(name: str, rule: str) -> None:
    for text in HOSTILE:
        for pair in ((text, "No pleural effusion."), ("No pleural effusion.", text), (text, text)):
            assert 0.0 <= value(name, rule, [pair]) <= 1.0 + 1e-9


def bombed(bombs: list[str]) -> None:
    for bomb in bombs:
        huge = (BOMBS[bomb] * HUGE)[:HUGE]
        for name, rule in ALL:
            start = time.process_time()
            values = [value(name, rule, [pair]) for pair in ((huge, huge[:-1] + "x"), (huge, "no effusion"))]
            assert all(0.0 <= v <= 1.0 + 1e-9 for v in values), (bomb, name, rule)
            assert time.process_time() - start < 20.0, (bomb, name, rule)


@pytest.mark.long
def test_a_hundred_thousand_letters_are_scored_by_every_score() -> None:
    bombed(["words", "brackets", "boxed"])


@pytest.mark.long
@pytest.mark.parametrize("bomb", BOMBS)
def test_no_repeated_text_makes_a_score_quadratic(bomb: str) -> None:
    bombed([bomb])


@pytest.mark.parametrize("name", [name for name in runnable(METRICS) if name not in (*GROUNDING, "calibration")])
def test_a_metric_takes_hostile_texts_through_evaluate_and_ignores_their_order(name: str) -> None:
    texts = [text for text in HOSTILE if text != "\ud800"]  # Arrow takes no lone surrogates; plain scores do
    golds = texts[::-1]
    forward = load(name).compute(predictions=texts, references=golds)
    again = load(name).compute(predictions=texts[::-1], references=golds[::-1])
    twice = load(name).compute(predictions=texts * 2, references=golds * 2)
    shares = {key: share for key, share in forward.items() if key not in ("unparsed", "refused")}
    assert all(0.0 <= share <= 1.0 + 1e-9 for share in shares.values())
    assert {key: again[key] for key in shares} == pytest.approx(shares, abs=1e-9)
    assert {key: twice[key] for key in shares} == pytest.approx(shares, abs=1e-9)
