"""An answer to a closed question and its gold, in any script -> hit or miss by the rule `clincot-v2`.

A yes/no gold is compared with what the answer says (`reading/yes_no.py`). Any other gold must be stated: its words in
a row, neither denied ("not normal", 不正常) nor offered as one of several ("MRI or CT", 左侧还是右侧).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from clincot.metrics.reading.final import final_answer
from clincot.metrics.reading.words import NUMBERS, plain, tokens_of, words
from clincot.metrics.reading.yes_no import negated, statements, verdict, whole_yes_no
from clincot.metrics.reading.yes_no_words import BETWEEN, CLAUSE

BREAK = ","  # between clauses; no word
ARTICLES = {"a", "an", "the"}
SHORT = ((re.compile(r"(?<![^\W_])w/ ?o(?![^\W_])"), "without "), (re.compile(r"(?<![^\W_])w/(?=\w| )"), "with "))
SLASH = re.compile(r"(?<=\w) ?/ ?(?=\w)")
DENIED = {"no", "non", "nonspecific"}
DENIED_CHINESE = (
    ("不",),
    ("非",),
    ("无",),
    ("無",),
    ("没",),
    ("沒",),
    ("没", "有"),
    ("沒", "有"),
    ("不", "是"),
    ("未",),
)
OFFERS = (("or",), ("vs",), ("versus",), ("还", "是"), ("或",))
PLACES = {"in", "on", "at", "from", "seen", "located"}
FAR = 8  # words in which a denial is looked for
NEAR = 3  # words between a gold and the "or" that makes it one of several


def hit(prediction: str, gold: str) -> bool:
    """Whether the answer gives the gold; a gold without any word is never given."""
    wanted = words(gold)
    if not wanted:
        return False
    said = final_answer(prediction)
    if words(said) == wanted:
        return True
    yes_no = whole_yes_no(gold)
    return verdict(prediction) == yes_no if yes_no else _stated(plain(said), wanted)


def unparsed(prediction: str, gold: str) -> bool:
    """Whether a yes/no question got an answer that says neither."""
    return whole_yes_no(gold) is not None and verdict(prediction) is None


def _stated(said: str, wanted: tuple[str, ...]) -> bool:
    for sign, word in SHORT:
        said = sign.sub(word, said)
    offered = any(_contains(wanted, offer) for offer in OFFERS)
    for sentence in statements(SLASH.sub(" or ", said)):
        found = _marked(sentence)
        bare = [word for word in found if word != BREAK]
        places = [i for i, word in enumerate(found) if word != BREAK]
        for start in _runs(bare, wanted):
            around = bare[max(0, start - NEAR) : start], bare[start + len(wanted) : start + len(wanted) + NEAR + 2]
            if not _denied(_clause_before(found, places[start])) and (offered or not _among_several(*around)):
                return True
    return False


def _marked(sentence: str) -> list[str]:
    """Return the words of a sentence as `words` has them, with a break between its clauses."""
    found: list[str] = []
    for clause in CLAUSE.split(sentence):
        found += [NUMBERS.get(word, word) for word in tokens_of(clause) if word not in ARTICLES]
        found.append(BREAK)
    return found


def _runs(bare: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    """Yield where `wanted` begins in `bare`; by text search, as comparing lists at each place is quadratic."""
    if len(bare) < len(wanted):
        return
    whole, part = f" {' '.join(bare)} ", f" {' '.join(wanted)} "
    place, seen, before = whole.find(part), 0, 0
    while place >= 0:
        before += whole.count(" ", seen, place)
        seen = place
        yield before
        place = whole.find(part, place + 1)


def _clause_before(found: Sequence[str], place: int) -> Sequence[str]:
    """Return the last few words of the clause before `place`."""
    start = max(0, place - FAR)
    broken = [i + 1 for i in range(start, place) if found[i] == BREAK]
    return found[broken[-1] if broken else start : place]


def _denied(before: Sequence[str]) -> bool:
    if before and (before[-1] in DENIED or any(_ends(before, signs) for signs in DENIED_CHINESE)):
        return True
    return negated(before, BETWEEN | PLACES)


def _among_several(before: Sequence[str], after: Sequence[str]) -> bool:
    return any(_contains(before, offer) or _contains(after[: NEAR + len(offer)], offer) for offer in OFFERS)


def _contains(some: Sequence[str], part: Sequence[str]) -> bool:
    return any(tuple(some[i : i + len(part)]) == tuple(part) for i in range(len(some) - len(part) + 1))


def _ends(some: Sequence[str], part: Sequence[str]) -> bool:
    return tuple(some[-len(part) :]) == tuple(part)
