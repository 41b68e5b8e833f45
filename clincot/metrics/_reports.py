"""A report and its reference -> corpus BLEU, ROUGE-L and METEOR, by the libraries the field names (nltk, rouge)."""

from __future__ import annotations

import math
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
from nltk.tokenize import wordpunct_tokenize
from nltk.translate.bleu_score import modified_precision
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics.base import Score, mean

ORDERS = (1, 2, 3, 4)
KEPT = 1 << 16  # a report costs 1-2 ms; BLEU-1..4, their mean and every comparison ask for the same counts
# Tokens alone move BLEU-1 of the same reports from .227 to .363 (benchmarks.md 2.4): they are part of the protocol.
TOKENS = {"wordpunct": lambda text: wordpunct_tokenize(text.lower()), "whitespace": str.split}


class NoWordNet:
    """In place of the WordNet corpus: METEOR of exact and stem matches, within 0.2 points of the full one."""

    def synsets(self, _: str) -> list[Any]:
        return []


def tokens(text: str, kind: str = "wordpunct") -> list[str]:
    if kind not in TOKENS:
        raise ClincotError(f"tokens {kind!r}: no such tokenisation.{did_you_mean(kind, TOKENS)}")
    return TOKENS[kind](text)


@lru_cache(KEPT)
def bleu_terms(prediction: str, gold: str, kind: str = "wordpunct") -> tuple[float, ...]:
    """Return clipped matches of orders 1-4, n-grams of orders 1-4, words, reference words: ten summable counts."""
    said, wanted = tokens(prediction, kind), tokens(gold, kind)
    shares = [modified_precision([wanted], said, n) for n in ORDERS]
    matches, totals = [s.numerator for s in shares], [s.denominator for s in shares]
    return (*map(float, matches), *map(float, totals), float(len(said)), float(len(wanted)))


def bleu_value(sums: np.ndarray, order: int) -> np.ndarray:
    """(..., 10) summed counts -> (...) cumulative corpus BLEU of `order`, uniform weights, no smoothing."""
    shares = sums[..., :order] / np.maximum(sums[..., 4 : 4 + order], 1.0)
    words, wanted = sums[..., 8], sums[..., 9]
    brevity = np.minimum(0.0, 1.0 - wanted / np.maximum(words, 1e-9))
    logs = np.log(np.maximum(shares, 1e-300)).mean(-1)
    return np.where((shares > 0).all(-1), np.exp(brevity + logs), 0.0)


def bleu_mean_value(sums: np.ndarray) -> np.ndarray:
    """Mean of BLEU-1..4, the paper's "average of BLEU-1/2/3/4" (MMedPO, Table 1)."""
    return np.mean([bleu_value(sums, order) for order in ORDERS], axis=0)


def bleu(order: int, kind: str = "wordpunct") -> Score:
    return Score(partial(bleu_terms, kind=kind), partial(bleu_value, order=order))


bleu1, bleu2, bleu3, bleu4 = (partial(bleu, order) for order in ORDERS)


def bleu_mean(kind: str = "wordpunct") -> Score:
    return Score(partial(bleu_terms, kind=kind), bleu_mean_value)


@cache
def _scorer() -> RougeScorer:
    return RougeScorer(["rougeL"], use_stemmer=False)


@lru_cache(KEPT)
def rouge_l_f1(prediction: str, gold: str) -> float:
    """rouge_score F1 without stemmer; it tokenises by itself."""
    return float(_scorer().score(gold, prediction)["rougeL"].fmeasure)


@lru_cache(KEPT)
def meteor_score(prediction: str, gold: str, kind: str = "wordpunct") -> float:
    """NLTK METEOR (alpha .9, beta 3, gamma .5), exact and stem matches; 0 when a side is empty."""
    said, wanted = tokens(prediction, kind), tokens(gold, kind)
    if not said or not wanted:
        return 0.0
    value = float(single_meteor_score(wanted, said, wordnet=NoWordNet()))  # type: ignore[arg-type]
    return value if math.isfinite(value) else 0.0


def rouge_l() -> Score:
    return mean(rouge_l_f1)


def meteor(kind: str = "wordpunct") -> Score:
    return mean(partial(meteor_score, kind=kind))
