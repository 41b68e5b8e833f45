"""A report and its reference -> NLTK METEOR of exact and stem matches, and of WordNet synonyms where asked for.

F = 10 PR / (R + 9P) * (1 - .5 (chunks / matches)^3), alpha .9, beta 3, gamma .5 (Banerjee and Lavie 2005; NLTK).
"""

from __future__ import annotations

import math
from functools import cache, lru_cache, partial
from typing import Any

from nltk.translate.meteor_score import single_meteor_score

from clincot.errors import ClincotError
from clincot.metrics.base import Score, mean
from clincot.metrics.reading.tokens import said_tokens, tokens

KEPT = 1 << 16


class NoWordNet:
    """In place of the WordNet corpus: METEOR of exact and stem matches, within 0.2 points of the full one."""

    def synsets(self, _: str) -> list[Any]:
        return []


@cache
def _word_net() -> Any:
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError as missing:
        raise ClincotError(
            "meteor_wordnet: NLTK's WordNet data are not on this machine. Run python -m nltk.downloader wordnet, or "
            "use meteor, which needs no data and differs by at most 0.2 points on radiology reports."
        ) from missing
    return wordnet


@lru_cache(KEPT)
def meteor_score(prediction: str, gold: str, kind: str = "wordpunct", synonyms: bool = False) -> float:
    """One report's METEOR; 0 when a side is empty. NLTK matches words in linear time from 3.10.4 on."""
    word_net = _word_net() if synonyms else NoWordNet()
    said, wanted = said_tokens(prediction, kind), tokens(gold, kind)
    if not said or not wanted:
        return 0.0
    value = float(single_meteor_score(wanted, said, wordnet=word_net))  # type: ignore[arg-type]
    return value if math.isfinite(value) else 0.0


def meteor(kind: str = "wordpunct") -> Score:
    return mean(partial(meteor_score, kind=kind))


def meteor_wordnet(kind: str = "wordpunct") -> Score:
    """As `meteor`, with synonyms; raises ClincotError on first use where the data are missing."""
    return mean(partial(meteor_score, kind=kind, synonyms=True))
