"""The texts of a pair -> the rules by which they hold no preference; building, importing and training share them."""

from __future__ import annotations

import unicodedata

EMPTY, EQUAL = "with an empty text", "whose chosen and rejected text are equal"
WEIGHT = "with a weight that is negative or not a number"


def same_words(chosen: str, rejected: str) -> bool:
    """Return whether two texts are equal, so that only the images of their sides can hold a preference."""
    return words(chosen) == words(rejected)


def words(text: str) -> tuple[str, ...]:
    """Return the text's words; spaces of any width, marks without a word and control characters do not count."""
    words = text.split()
    seen = any(unicodedata.category(sign) not in ("Cf", "Cc", "Zs") for word in words for sign in word)
    return tuple(words) if seen else ()
