"""A text in any script -> its plain form and its words, the same for a bold, quoted, full-width or dashed twin of it.

NFKC and case folding; markup, invisible characters and punctuation go. A word is a run of letters with their marks and
digits, or a number; scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) give one word
per character, so that shares of common words mean something. Signs next to a number that change its meaning are words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

KEPT = 1 << 14
INVISIBLE = re.compile("[\u00ad\u061c\u0640\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
# Tags and special tokens, and LaTeX commands such as \text{...}, whose content stays.
MARKUP = re.compile(r"<\|[^|<>\n]{0,40}\|>|</?[a-z][^<>\n]{0,60}>|\\[a-z]{1,20}")
APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’‘ʼ](?=[^\W\d_])")
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Combining marks are no \w in Python: without them Hindi or pointed Arabic would fall into letters.
MARK = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0903\u093a-\u094f\u0955-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a03\u0a3c-\u0a51\u0a81-\u0a83"
    "\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82\u0bbe-\u0bd7\u0c00-\u0c04\u0c3e-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6"
    "\u0d00-\u0d03\u0d3b-\u0d57\u0d82\u0d83\u0dca-\u0ddf\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    "\u0f18-\u0f3e\u0f71-\u0fbc\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\u3099\u309a"
)
ALONE = (
    "\u0e00-\u0e30\u0e32\u0e33\u0e3f-\u0e46\u0e4f\u0e80-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u1000-\u102a\u1050-\u1055\u1780-\u17b3"
    "\u3005\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
WORD = re.compile(
    rf"\d+(?:\.\d+)*|(?<!\d)\.\d+|[{ALONE}][{MARK}]*|(?![{ALONE}\d_])[\w{MARK}](?:(?![{ALONE}_])[\w{MARK}])*"
    r"|[<>≤≥±](?=\s?\.?\d)|(?<=\d)\s?[%°]"
)
WORD_OR_MARK = re.compile(rf"[{ALONE}][{MARK}]*|(?:(?![{ALONE}])[\w{MARK}])+|[^\w\s]")
MARKED = re.compile(rf"[\w{MARK}]")
EMPHASIS = re.compile(r"\*+|`+|__+|^#{1,6}(?=\s)", re.MULTILINE)
TYPEWRITER = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "「": '"',
        "」": '"',
        "。": ".",
        "、": ",",
        "‐": "-",
        "‑": "-",
        "–": "-",
        "—": "-",
    }
)
FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
ARTICLES = {"a", "an", "the"}
COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"none": "0"} | {word: str(n) for n, word in enumerate(COUNTED)}


def _folded(text: str) -> str:
    """Return the text in NFKC and without case, invisible characters, tags and special tokens."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return MARKUP.sub(" ", INVISIBLE.sub("", text))


def script_tokens(text: str) -> list[str]:
    """Return words and single marks of a report in any script; of plain ASCII prose those of `wordpunct`.

    Emphasis and headings of Markdown go, and typographic marks become the ASCII ones that they are drawn for.
    """
    return WORD_OR_MARK.findall(EMPHASIS.sub("", _folded(text)).translate(TYPEWRITER))


def script_words(text: str) -> list[str]:
    """Return the words alone, for ROUGE; of ASCII text those of rouge_score."""
    return [word for word in script_tokens(text.replace("_", " ")) if MARKED.match(word)]


@lru_cache(KEPT)
def plain(text: str) -> str:
    """Return the text folded, without markup, invisible characters and apostrophes inside words ("don't" is dont)."""
    bare = _folded(text)
    bare = APOSTROPHE.sub("", THOUSANDS.sub("", bare))
    return FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.digit(digit.group(), 0)), bare)


def tokens_of(text: str) -> list[str]:
    """Return the words of a plain text, articles and number words as they are."""
    return [f"0{word}" if word[0] == "." else word.strip() for word in WORD.findall(text)]


@lru_cache(KEPT)
def words(text: str) -> tuple[str, ...]:
    """Return the words of any text without articles, number words as digits; a text of articles alone keeps them."""
    found = tokens_of(plain(text))
    kept = [word for word in found if word not in ARTICLES] or found
    return tuple(NUMBERS.get(word, word) for word in kept)


def is_chinese(text: str) -> bool:
    """Return whether a text has a Chinese character, which the rules of English texts cannot read."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
