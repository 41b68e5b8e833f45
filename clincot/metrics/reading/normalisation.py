"""A text -> its normal form N, a bug-compatible reading of LLaVA-Med's `normalize_word` (tag v1.0.0, glossary.py).

Its quirks are kept because published numbers rest on them: punctuation is deleted or spaced out by what is anywhere
in the text, and at most 32 periods go (the original passes re.UNICODE, which is 32, as the count).
"""

from __future__ import annotations

import re

PUNCTUATION = tuple(';/[]"{}()=+\\_-><@`,?!')
DIGIT_COMMA_DIGIT = re.compile(r"\d,\d")
PERIOD = re.compile(r"\.(?!\d)")
MOST_PERIODS = 32
COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"none": "0"} | {word: str(n) for n, word in enumerate(COUNTED)}
ARTICLES = {"a", "an", "the"}
# The VQA challenge's contractions, written out in full; its table maps each of these with one apostrophe left out.
CONTRACTED = """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's
how'd how'll how's I'd've I'm I've isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't
not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're
there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've
when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't
wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've
"""
IRREGULAR = {"let's": "let's", "she's": "she's", "somebody'd": "somebodyd"}


def _table() -> dict[str, str]:
    table = dict(IRREGULAR)
    for word in CONTRACTED.split():
        places = [i for i, letter in enumerate(word) if letter == "'"]
        table |= {word[:i] + word[i + 1 :]: word for i in places}
    return table


CONTRACTIONS = _table()


def normalise(text: str) -> str:
    """Return N(text); the text is lower-cased first, as every caller of the original does."""
    text = text.lower()
    everywhere = DIGIT_COMMA_DIGIT.search(text) is not None
    spaced = text
    for mark in PUNCTUATION:
        beside_space = f"{mark} " in text or f" {mark}" in text
        spaced = spaced.replace(mark, "" if beside_space or everywhere else " ")
    words = PERIOD.sub("", spaced, count=MOST_PERIODS).split()
    numbered = (NUMBERS.get(word, word) for word in words)
    kept = (CONTRACTIONS.get(word, word) for word in numbered if word not in ARTICLES)
    return " ".join(kept).replace(",", "")
