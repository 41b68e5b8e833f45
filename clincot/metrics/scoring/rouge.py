"""A report and its reference -> ROUGE-L by the longest common subsequence of words, in two published readings.

P = LCS / words said, R = LCS / words wanted. rouge_score: 2PR / (P + R) on its own tokens. coco: (1 + b^2) PR /
(R + b^2 P) with b = 1.2 (pycocoevalcap, docs/metrics.md#table).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from rouge_score.tokenizers import DefaultTokenizer

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics.base import Score, mean
from clincot.metrics.reading.tokens import said_tokens, tokens
from clincot.metrics.reading.words import script_words

BETA = 1.2
KEPT = 1 << 16
# rouge_score knows a-z and 0-9 alone: any report in Chinese, Russian or Arabic has no words there and scores 0.
SPLITS: dict[str, Callable[[str], list[str]]] = {
    "rouge_score": DefaultTokenizer(use_stemmer=False).tokenize,
    "unicode": script_words,
}
NAMES = "tokens: unicode (words of any script, the default; of ASCII text those of rouge_score) or rouge_score."


def lcs(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, one machine word of `first` at a time (Hyyro 2004, bit-parallel).

    The table of rouge_score costs one Python step per pair of words: a 100,000-character answer against itself
    would never end. This one takes 50,000 words against 50,000 in about a second and gives the same number.
    """
    places: dict[str, int] = defaultdict(int)
    for i, word in enumerate(first):
        places[word] |= 1 << i
    full = (1 << len(first)) - 1
    free = full
    for word in second:
        if word in places:
            used = free & places[word]
            free = ((free + used) | (free - used)) & full
    return len(first) - free.bit_count()


def _shares(said: Sequence[str], wanted: Sequence[str]) -> tuple[float, float]:
    if not said or not wanted:
        return 0.0, 0.0
    common = lcs(wanted, said)
    return common / len(said), common / len(wanted)


@lru_cache(KEPT)
def rouge_l_f1(prediction: str, gold: str, kind: str = "rouge_score") -> float:
    """rouge_score F1 without stemmer; its tokens are runs of a-z and 0-9 in lower case, or words as `kind` says."""
    if kind not in SPLITS:
        raise ClincotError(f"tokens {kind!r}: no such words of ROUGE-L.{did_you_mean(kind, SPLITS)}")
    precision, recall = _shares(SPLITS[kind](prediction), SPLITS[kind](gold))
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def _coco_tokens(text: str, kind: str, cut: Callable[[str, str], list[str]]) -> list[str]:
    """pycocoevalcap splits at single spaces, so two spaces hold an empty word; the published digits need it."""
    return text.split(" ") if kind == "whitespace" and text.strip() else cut(text, kind)


@lru_cache(KEPT)
def rouge_l_coco_f(prediction: str, gold: str, kind: str = "wordpunct") -> float:
    """pycocoevalcap's F with beta 1.2, which favours recall; one reference."""
    precision, recall = _shares(_coco_tokens(prediction, kind, said_tokens), _coco_tokens(gold, kind, tokens))
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision) if precision else 0.0


def rouge_l(kind: str = "rouge_score") -> Score:
    return mean(partial(rouge_l_f1, kind=kind))


def rouge_l_coco(kind: str = "wordpunct") -> Score:
    return mean(partial(rouge_l_coco_f, kind=kind))
