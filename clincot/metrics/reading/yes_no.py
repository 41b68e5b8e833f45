"""An answer in English or Chinese -> yes, no or neither, as a careful reader takes it; whether a gold is one of them.

1. Offered alternatives ("yes or no", "yes/no", 是否, 有没有) and echoed questions say nothing and are left out.
2. An outright yes or no that opens the answer decides ("Yes—there is", "No, it is not", 是的, 没有看到).
3. Else outright ones further on decide where they agree; where they do not, the answer says neither.
4. Else the first yes or no inside a sentence decides ("There is no effusion"), unless the answer cannot tell.

A negated one ("not yes", "cannot say yes") is neither: denying one does not state the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from clincot.metrics.reading.final import final_answer
from clincot.metrics.reading.words import plain, tokens_of
from clincot.metrics.reading.yes_no_words import (
    ALONE,
    ASKED,
    BETWEEN,
    CHINESE_FILLER,
    CLAUSE,
    ELLIPTICAL,
    FILLERS,
    FOLLOWERS,
    IDIOM,
    INSIDE,
    NEGATIONS,
    NO,
    NO_CHINESE,
    NO_HEAD,
    NO_WORDS,
    OFFERED,
    OFFERED_CHINESE,
    SENTENCE,
    UNDECIDED,
    WHOLE,
    YES,
    YES_CHINESE,
    YES_HEAD,
    YES_WORDS,
)

KEPT = 1 << 14


@dataclass(frozen=True)
class Clause:
    """A part of a sentence between commas: its words, and its text without spaces for scripts that have none."""

    words: tuple[str, ...]
    closed: str

    @classmethod
    def of(cls, text: str) -> Clause:
        found = tuple(tokens_of(text))
        return cls(found, "".join(found))


@lru_cache(KEPT)
def whole_yes_no(text: str) -> str | None:
    """Return yes or no where the text is that word alone, in English or Chinese; None for any other gold."""
    closed = "".join(tokens_of(plain(text)))
    if closed in YES_CHINESE or closed == YES:
        return YES
    return NO if closed in NO_CHINESE or closed == NO else None


@lru_cache(KEPT)
def verdict(prediction: str) -> str | None:
    """Return what the answer says to a yes/no question, None where it says neither."""
    said = plain(final_answer(prediction))
    clauses, asked = _statements(OFFERED_CHINESE.sub(" ", OFFERED.sub(" ", IDIOM.sub(" ", said))))
    if not clauses:
        return None
    if len(clauses) == 1 and (found := _whole(clauses[0])):
        return found
    opening = _outright(clauses[0], opens=True)
    if opening:
        return opening
    outright = {found for clause in clauses[1:] if (found := _outright(clause, opens=False))}
    if outright:
        return outright.pop() if len(outright) == 1 else None
    if asked or UNDECIDED.search(said):
        return None
    return next((found for clause in clauses if (found := _inside(clause))), None)


def statements(said: str) -> list[str]:
    """Return the sentences of a plain text, without the questions that it echoes; a lone question is kept."""
    return _sentences(said)[0]


def _sentences(said: str) -> tuple[list[str], bool]:
    """Return the sentences that state something, or all with True where all of them ask."""
    stated: list[str] = []
    asked: list[str] = []
    start = 0
    for end in (*SENTENCE.finditer(said), None):
        sentence = said[start : end.start() if end else len(said)].strip()
        start = end.end() if end else start
        if tokens_of(sentence):
            question = (end is not None and end.group() in "?؟") or ASKED.search(sentence)
            (asked if question else stated).append(sentence)
    return (stated, False) if stated else (asked, True)


def _statements(said: str) -> tuple[list[Clause], bool]:
    sentences, asked = _sentences(said)
    clauses = (Clause.of(part) for sentence in sentences for part in CLAUSE.split(sentence))
    return [clause for clause in clauses if clause.words], asked


def _whole(clause: Clause) -> str | None:
    text = " ".join(clause.words)
    elliptical = ELLIPTICAL.fullmatch(text)
    if elliptical:
        return NO if elliptical[1] else YES
    return WHOLE.get(text)


def _outright(clause: Clause, *, opens: bool) -> str | None:
    """Return the yes or no that the clause is, or begins with; in Chinese a beginning counts in the first clause."""
    words = _without_fillers(clause.words)
    alone = ALONE.get(" ".join(words)) or ALONE.get(CHINESE_FILLER.sub("", clause.closed))
    if alone:
        return alone
    if words and words[0] in YES_WORDS:
        return YES
    if words and words[0] in NO_WORDS and (len(words) == 1 or words[1] in FOLLOWERS):
        return NO
    if not opens:
        return None
    head = CHINESE_FILLER.sub("", clause.closed)
    if UNDECIDED.match(head):
        return None
    return NO if NO_HEAD.match(head) else YES if YES_HEAD.match(head) else None


def _without_fillers(words: Sequence[str]) -> Sequence[str]:
    start = next((i for i, word in enumerate(words) if word not in FILLERS), len(words))
    return words[start:]


def _inside(clause: Clause) -> str | None:
    for place, word in enumerate(clause.words):
        if word in (YES, NO) and not negated(clause.words[:place], BETWEEN):
            return word
    found = INSIDE.search(clause.closed)
    return found.lastgroup if found else None


def negated(before: Sequence[str], between: set[str]) -> bool:
    """Whether the words before end in a negation, with nothing but adverbs and words of `between` after it."""
    for word in reversed(before):
        if word in NEGATIONS:
            return True
        if word not in between and not word.endswith("ly"):
            return False
    return False
