"""An answer to an open question and its gold -> word recall, precision, F1 and exact match, under named rules."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics._exact import clincot_strict, lmms_eval
from clincot.metrics._normalisation import normalise
from clincot.metrics.base import Score, mean


@dataclass(frozen=True)
class Overlap:
    """Shares of common words, each in [0, 1]; all zero when nothing is common or a side is empty."""

    recall: float
    precision: float
    f1: float


NOTHING = Overlap(0.0, 0.0, 0.0)


def overlap(prediction: str, gold: str, rule: str = "clipped") -> Overlap:
    """Compare word counts after N.

    `clipped`: a gold word counts as often as the gold has it. `llava-med-v1`: common words count as often as the
    *prediction* has them and only entirely missing words count against recall, so repeating a right word raises it.
    """
    found, wanted = Counter(normalise(prediction).split()), Counter(normalise(gold).split())
    if rule == "llava-med-v1":
        true = sum(count for word, count in found.items() if word in wanted)
        of_found = found.total()
        of_wanted = true + sum(count for word, count in wanted.items() if word not in found)
    elif rule == "clipped":
        true, of_found, of_wanted = (found & wanted).total(), found.total(), wanted.total()
    else:
        raise ClincotError(f"open rule {rule!r}: no such rule.{did_you_mean(rule, ['clipped', 'llava-med-v1'])}")
    if not true:
        return NOTHING
    recalled, precise = true / of_wanted, true / of_found
    return Overlap(recalled, precise, 2 * precise * recalled / (precise + recalled))


EXACT: dict[str, Callable[[str], str]] = {
    "default": normalise,
    "lmms-eval": lmms_eval,
    "clincot-strict": clincot_strict,
}


def exact_match(prediction: str, gold: str, rule: str = "default") -> bool:
    """Equality after the rule's normal form; an empty gold never matches."""
    if rule not in EXACT:
        raise ClincotError(f"exact rule {rule!r}: no such rule.{did_you_mean(rule, EXACT)}")
    wanted = EXACT[rule](gold)
    return bool(wanted) and EXACT[rule](prediction) == wanted


LIST_MARK = re.compile(r"[,;，、；]|\band\b", re.IGNORECASE)


def _parts(text: str) -> Counter[str]:
    """The parts of a list, each after N, as often as they occur; parts that N empties are left out."""
    return Counter(part for part in map(normalise, LIST_MARK.split(text)) if part)


def same_parts(prediction: str, gold: str) -> bool:
    """Equality of the two lists in any order (SLAKE golds such as "Lung, Spinal Cord"); an empty gold never matches."""
    wanted = _parts(gold)
    return bool(wanted) and _parts(prediction) == wanted


def parts_found(prediction: str, gold: str) -> float:
    """Share of the gold list's parts that are parts of the prediction."""
    wanted = _parts(gold)
    return (_parts(prediction) & wanted).total() / wanted.total() if wanted else 0.0


def recall(rule: str = "clipped") -> Score:
    return mean(lambda prediction, gold: overlap(prediction, gold, rule).recall)


def precision(rule: str = "clipped") -> Score:
    return mean(lambda prediction, gold: overlap(prediction, gold, rule).precision)


def f1(rule: str = "clipped") -> Score:
    return mean(lambda prediction, gold: overlap(prediction, gold, rule).f1)


def exact(rule: str = "default") -> Score:
    return mean(lambda prediction, gold: exact_match(prediction, gold, rule))


def exact_unordered() -> Score:
    return mean(same_parts)


def recall_unordered() -> Score:
    return mean(parts_found)
