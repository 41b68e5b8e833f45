"""A report and its reference -> BLEU-1..4: cumulative or of single orders, of the corpus or the mean of reports.

One order: BP * p_n. Cumulative: BP * (p_1 ... p_n)^(1/n). BP = min(1, exp(1 - r/c)), p_n = clipped n-gram precision,
no smoothing (Papineni et al. 2002; nltk counts; docs/metrics.md#table). Zero matches of an order make its value 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from nltk.translate.bleu_score import modified_precision

from clincot.metrics.base import Score
from clincot.metrics.reading.tokens import said_tokens, tokens

ORDERS = (1, 2, 3, 4)
KEPT = 1 << 16  # a report costs 1-2 ms; BLEU-1..4, their mean and every comparison ask for the same counts


@lru_cache(KEPT)
def bleu_terms(prediction: str, gold: str, kind: str = "wordpunct") -> tuple[float, ...]:
    """Return clipped matches of orders 1-4, n-grams of orders 1-4, words, reference words: ten summable counts."""
    said, wanted = said_tokens(prediction, kind), tokens(gold, kind)
    shares = [modified_precision([wanted], said, n) for n in ORDERS]
    matches, totals = [s.numerator for s in shares], [s.denominator for s in shares]
    return (*map(float, matches), *map(float, totals), float(len(said)), float(len(wanted)))


def _shares_and_brevity(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shares = sums[..., :4] / np.maximum(sums[..., 4:8], 1.0)
    return shares, np.exp(np.minimum(0.0, 1.0 - sums[..., 9] / np.maximum(sums[..., 8], 1e-9)))


def cumulative_value(sums: np.ndarray, order: int) -> np.ndarray:
    """(..., 10) summed counts -> (...) BLEU over orders 1 to `order`, uniform weights."""
    shares, brevity = _shares_and_brevity(sums)
    used = shares[..., :order]
    return np.where((used > 0).all(-1), brevity * np.exp(np.log(np.maximum(used, 1e-300)).mean(-1)), 0.0)


def individual_value(sums: np.ndarray, order: int) -> np.ndarray:
    """(..., 10) summed counts -> (...) BLEU of the single `order`: nltk's weights (0, .., 1, .., 0)."""
    shares, brevity = _shares_and_brevity(sums)
    return brevity * shares[..., order - 1]


Value = Callable[..., np.ndarray]


def _mean_value(sums: np.ndarray, value: Value) -> np.ndarray:
    return np.mean([value(sums, order) for order in ORDERS], axis=0)


def _corpus(value: Value, order: int, kind: str = "wordpunct") -> Score:
    of_order = partial(value, order=order) if order else partial(_mean_value, value=value)
    return Score(partial(bleu_terms, kind=kind), of_order)


def _sentence(value: Value, order: int, kind: str = "wordpunct") -> Score:
    """Mean over reports of each report's own BLEU, as the mean of nltk's `sentence_bleu`."""
    score = _corpus(value, order, kind)
    return Score(lambda prediction, gold: (float(score.value(np.array(score.terms(prediction, gold)))), 1.0))


# Order 0 is the mean of the four: "average of BLEU-1/2/3/4" (MMedPO, Table 1), whose reading is not stated there.
bleu_mean, bleu1, bleu2, bleu3, bleu4 = (partial(_corpus, cumulative_value, n) for n in (0, *ORDERS))
individual_mean, individual_1, individual_2, individual_3, individual_4 = (
    partial(_corpus, individual_value, n) for n in (0, *ORDERS)
)
sentence_mean, sentence_1, sentence_2, sentence_3, sentence_4 = (
    partial(_sentence, cumulative_value, n) for n in (0, *ORDERS)
)
sentence_individual_mean, sentence_individual_1, sentence_individual_2, sentence_individual_3, sentence_individual_4 = (
    partial(_sentence, individual_value, n) for n in (0, *ORDERS)
)
