"""A report and the name of a tokenisation -> its words; tokens alone move BLEU-1 of the same reports by .13."""

from __future__ import annotations

import re
from collections.abc import Callable

from clincot.errors import ClincotError, did_you_mean
from clincot.metrics.reading.medevalkit import report_words, without_headings
from clincot.metrics.reading.words import script_tokens

# One mark is one token: nltk's wordpunct_tokenize joins runs such as ".." and gives the template .514 for BLEU-1, not
# the .517 of docs/benchmarks.md#image-free-controls.
WORD_OR_MARK = re.compile(r"\w+|[^\w\s]")
NUMBERS = ("2", "3", "4", "5")
QUOTES_AND_SLASHES = str.maketrans("", "", "\"/\\'")
# R2Gen's character class reads ":-[" as a range: colon to opening bracket go (capitals are gone by then, digits and the
# hyphen stay).
MARKS = str.maketrans("", "", ".,?;*!%^&_+()]{}" + "".join(map(chr, range(ord(":"), ord("[") + 1))))


def r2gen_clean(text: str) -> list[str]:
    """R2Gen's `clean_report_iu_xray`, step by step (docs/metrics.md#tokens-of-reports).

    A text without any word has no tokens.
    Empty sentences stay, as in the original, so " . . " can occur. The original turns an empty text into one full
    stop, which would match every reference: here an empty prediction stays empty.
    """
    for _ in range(3):
        text = text.replace("..", ".")
    text = text.replace("1. ", "")
    for before in (". ", " "):
        for number in NUMBERS:
            text = text.replace(f"{before}{number}. ", ". ")
    sentences = (part.translate(QUOTES_AND_SLASHES).strip().lower() for part in text.strip().lower().split(". "))
    cleaned = [sentence.translate(MARKS) for sentence in sentences]
    return (" . ".join(cleaned) + " .").split() if any(part.strip() for part in cleaned) else []


# Tokens are part of the protocol (docs/metrics.md#tokens-of-reports).
TOKENS: dict[str, Callable[[str], list[str]]] = {
    "wordpunct": lambda text: WORD_OR_MARK.findall(text.lower()),
    "r2gen-clean": r2gen_clean,
    "whitespace": str.split,
    "medevalkit": report_words,
    "unicode": script_tokens,
}
NAMES = (
    "tokens: wordpunct (lower-cased words and single punctuation marks, the default), unicode (the same in any script),"
    " r2gen-clean, medevalkit or whitespace."
)
# What a tokenisation does to predictions alone.
SAID: dict[str, Callable[[str], str]] = {"medevalkit": without_headings}


def said_tokens(prediction: str, kind: str = "wordpunct") -> list[str]:
    """Return the words of a prediction; a reference has those of `tokens`."""
    return tokens(SAID.get(kind, str)(prediction), kind)


def tokens(text: str, kind: str = "wordpunct") -> list[str]:
    if kind not in TOKENS:
        raise ClincotError(f"tokens {kind!r}: no such tokenisation.{did_you_mean(kind, TOKENS)}")
    return TOKENS[kind](text)
