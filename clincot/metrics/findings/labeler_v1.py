"""A report -> its CheXpert labels as the first rule labeler read them, frozen for `clincot-v1`.

A label is positive if any mention of it is, else uncertain, else negative, else absent (CheXpert's order). No Finding
holds when a text has words, no other label is positive or uncertain (support devices aside) and nothing else abnormal
(degenerative spine, granuloma, ...) is stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from clincot.metrics.findings import phrases_v1

State = Literal["positive", "uncertain", "negative"]
ORDER: tuple[State, ...] = ("positive", "uncertain", "negative")
SENTENCE_END = re.compile(r"[;:!?]|\.(?!\d)")
TO_SPACE = str.maketrans('-/_()[]"', " " * 8)
BEFORE, AFTER = 240, 80  # letters that may hold a cue; longer lists than 240 letters occur in no report at hand
KEPT = 1 << 16


def sentences(text: str) -> Iterator[str]:
    """Lower-cased sentences with single spaces; hyphens, slashes, quotes and brackets are spaces."""
    for part in SENTENCE_END.split(text.lower().translate(TO_SPACE)):
        squeezed = " ".join(part.replace(" ,", ",").split())
        if squeezed:
            yield squeezed


def _before(sentence: str, mention: re.Match[str]) -> str:
    """The clause up to the end of the mention: `heart is not enlarged` denies from inside."""
    start = max(0, mention.start() - BEFORE)
    if start:
        start = sentence.find(" ", start, mention.start()) + 1 or mention.start()
    clause = sentence[start : mention.start()]
    breaks = [
        found.end() for found in phrases_v1.BREAK.finditer(clause + mention.group()) if found.end() <= len(clause)
    ]
    return sentence[start + (breaks[-1] if breaks else 0) : mention.end()]


def state(sentence: str, mention: re.Match[str]) -> State:
    """What `sentence` says about one mention in it."""
    before = _before(sentence, mention)
    after = phrases_v1.BREAK_AFTER.split(sentence[mention.end() : mention.end() + AFTER], maxsplit=1)[0]
    if phrases_v1.OPEN_QUESTION.search(before) or phrases_v1.DOUBTED_AFTER.search(after):
        return "uncertain"
    asserted = phrases_v1.NO_CHANGE.sub(" ", before)
    if phrases_v1.DENIED_BEFORE.search(asserted) or phrases_v1.DENIED_AFTER.search(
        phrases_v1.NO_CHANGE.sub(" ", after)
    ):
        return "negative"
    if phrases_v1.DOUBTED_BEFORE.search(asserted) or phrases_v1.BORDERLINE.search(mention.group()):
        return "uncertain"
    return "positive"


@lru_cache(KEPT)
def findings(text: str) -> dict[str, State]:
    """Return the state of every mentioned label; labels that are not mentioned are left out."""
    said: dict[str, State] = {}
    spoken = abnormal = False
    for sentence in sentences(text):
        spoken = spoken or any(letter.isalpha() for letter in sentence)
        sentence = phrases_v1.OTHER.sub(" ", sentence)
        abnormal = abnormal or any(state(sentence, m) != "negative" for m in phrases_v1.ELSEWHERE.finditer(sentence))
        for label, pattern in phrases_v1.FINDINGS.items():
            for mention in pattern.finditer(sentence):
                said[label] = min(said.get(label, "negative"), state(sentence, mention), key=ORDER.index)
    abnormal = abnormal or any(said[label] != "negative" for label in said if label != phrases_v1.SUPPORT)
    return said if abnormal or not spoken else {phrases_v1.NO_FINDING: "positive", **said}


def positives(text: str, uncertain: bool = True) -> frozenset[str]:
    """Return the labels that count as present; `uncertain` ones too by default (as RadEval's F1CheXbert)."""
    return frozenset(
        label for label, state in findings(text).items() if state == "positive" or (uncertain and state == "uncertain")
    )
