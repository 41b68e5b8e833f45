"""An answer to an open question and its gold -> word recall, precision, F1 and exact match, under named rules."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics.base import Score, mean
from clincot.metrics.reading.exact import clincot_strict, lmms_eval
from clincot.metrics.reading.final import final_answer
from clincot.metrics.reading.medevalkit import response_of
from clincot.metrics.reading.normalisation import normalise
from clincot.metrics.reading.words import plain, words

OURS, THEIRS = "clincot-v2", "medevalkit-v2"
NAMES = "rule: clincot-v2 (words of any script, the default), clipped, llava-med-v1, paper-v2 or medevalkit-v2."


@dataclass(frozen=True)
class Overlap:
    """Shares of common words, each in [0, 1]; all zero when nothing is common or a side is empty."""

    recall: float
    precision: float
    f1: float


NOTHING = Overlap(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Counting:
    """How a rule counts common words: the words of a prediction and of a gold, and what repeating a right word does.

    `clipped`: a gold word counts as often as the gold has it. Otherwise common words count as often as the *prediction*
    has them and only entirely missing words count against recall, so repeating a right word raises it (LLaVA-Med).
    """

    said: Callable[[str], Sequence[str]]
    wanted: Callable[[str], Sequence[str]]
    clipped: bool = True


def _of_n(text: str) -> list[str]:
    return normalise(text).split()


def final_words(prediction: str) -> tuple[str, ...]:
    """Return the words of the final answer, in any script."""
    return words(final_answer(prediction))


COUNTINGS = {
    "clipped": Counting(_of_n, _of_n),
    "llava-med-v1": Counting(_of_n, _of_n, clipped=False),
    OURS: Counting(final_words, words),
    "paper-v2": Counting(final_words, words, clipped=False),
    # Sets of words; the original's report calls its F1 "precision", its precision "recall" and its recall "f1".
    THEIRS: Counting(lambda text: tuple(set(response_of(text).split())), lambda text: tuple(set(text.lower().split()))),
}


def overlap(prediction: str, gold: str, rule: str = "clipped") -> Overlap:
    """Compare the words of both sides, read and counted as the rule says."""
    if rule not in COUNTINGS:
        raise ClincotError(f"open rule {rule!r}: no such rule.{did_you_mean(rule, COUNTINGS)}")
    counting = COUNTINGS[rule]
    found, wanted = Counter(counting.said(prediction)), Counter(counting.wanted(gold))
    if counting.clipped:
        true, of_found, of_wanted = (found & wanted).total(), found.total(), wanted.total()
    else:
        true = sum(count for word, count in found.items() if word in wanted)
        of_found = found.total()
        of_wanted = true + sum(count for word, count in wanted.items() if word not in found)
    if not true:
        return NOTHING
    recalled, precise = true / of_wanted, true / of_found
    return Overlap(recalled, precise, 2 * precise * recalled / (precise + recalled))


@dataclass(frozen=True)
class Form:
    """The normal forms of a prediction and of a gold that a rule compares."""

    said: Callable[[str], str]
    wanted: Callable[[str], str]


EXACT = {
    "default": Form(normalise, normalise),
    "lmms-eval": Form(lmms_eval, lmms_eval),
    "clincot-strict": Form(clincot_strict, clincot_strict),
    THEIRS: Form(response_of, str.lower),
    OURS: Form(lambda text: " ".join(final_words(text)), lambda text: " ".join(words(text))),
}


def exact_match(prediction: str, gold: str, rule: str = "default") -> bool:
    """Equality after the rule's normal form; an empty gold never matches."""
    if rule not in EXACT:
        raise ClincotError(f"exact rule {rule!r}: no such rule.{did_you_mean(rule, EXACT)}")
    wanted = EXACT[rule].wanted(gold)
    return bool(wanted) and EXACT[rule].said(prediction) == wanted


LIST_MARK = re.compile(r"[,;，、；]|\band\b", re.IGNORECASE)
# With bullets, line breaks and the Chinese "and"; a digit's comma is gone from a plain text.
ANY_LIST_MARK = re.compile(r"[,،;؛、\n•]|(?<![^\W_])and(?![^\W_])|以及|和|与|及")


def _parts_by_n(text: str) -> Counter[str]:
    """The parts of a list, each after N, as often as they occur; parts that N empties are left out."""
    return Counter(part for part in map(normalise, LIST_MARK.split(text)) if part)


def _parts_of_words(text: str) -> Counter[str]:
    return Counter(part for part in (" ".join(words(cut)) for cut in ANY_LIST_MARK.split(plain(text))) if part)


PARTS: dict[str, tuple[Callable[[str], Counter[str]], Callable[[str], Counter[str]]]] = {
    "default": (_parts_by_n, _parts_by_n),
    OURS: (lambda text: _parts_of_words(final_answer(text)), _parts_of_words),
}


def _parts(prediction: str, gold: str, rule: str) -> tuple[Counter[str], Counter[str]]:
    if rule not in PARTS:
        raise ClincotError(f"list rule {rule!r}: no such rule.{did_you_mean(rule, PARTS)}")
    said, wanted = PARTS[rule]
    return said(prediction), wanted(gold)


def same_parts(prediction: str, gold: str, rule: str = "default") -> bool:
    """Equality of the two lists in any order (SLAKE golds such as "Lung, Spinal Cord"); an empty gold never matches."""
    said, wanted = _parts(prediction, gold, rule)
    return bool(wanted) and said == wanted


def parts_found(prediction: str, gold: str, rule: str = "default") -> float:
    """Share of the gold list's parts that are parts of the prediction."""
    said, wanted = _parts(prediction, gold, rule)
    return (said & wanted).total() / wanted.total() if wanted else 0.0


def recall(rule: str = "clipped") -> Score:
    return mean(lambda prediction, gold: overlap(prediction, gold, rule).recall)


def precision(rule: str = "clipped") -> Score:
    return mean(lambda prediction, gold: overlap(prediction, gold, rule).precision)


def f1(rule: str = "clipped") -> Score:
    return mean(lambda prediction, gold: overlap(prediction, gold, rule).f1)


def exact(rule: str = "default") -> Score:
    return mean(lambda prediction, gold: exact_match(prediction, gold, rule))


def exact_unordered(rule: str = "default") -> Score:
    return mean(partial(same_parts, rule=rule))


def recall_unordered(rule: str = "default") -> Score:
    return mean(partial(parts_found, rule=rule))
