"""An English sentence -> the edits that turn what it affirms into what it denies, or the other way round."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from clincot.editors._edits import Edit, Place, article, sentences

KIND = "negation"
# Nouns that take no article: by their ending, or listed.
MASS = re.compile(
    r"\b(?:\w+(?:sis|itis|ema|(?<!hern)ia|(?<!find)ing|ment|pathy|galy|phy)|evidence|h(?:a?e)morrhage|fluid|air|disease"
    r"|consolidation|calcification|infiltration|infarction|dilation|dilatation|congestion|contrast|cancer|blood|gas"
    r"|hyperinflation|fat|tissue|collapse|ascites|hydrocephalus|pneumoperitoneum)$"
)
PLURAL = re.compile(r"(?<![sui])s$|ae$|[^s]i$")
STOP = (
    r"(?:[,.;:()]|\b(?:or|and|in|of|on|at|within|is|are|was|were|seen|identified|noted|present|to|with|for|that)\b|$)"
)
NOUN = rf"(?P<noun>[a-z][\w -]*?)(?=\s*{STOP})"
NOT = r"(?:\s+not|n['’]t)\b"
NO_NOUN = r"(?!no\b|not\b|also\b|still\b|now\b|again\b|only\b|the\b|this\b|that\b|another\b|nothing\b)"
COUNT = r"(?:(?:an?|some|several|multiple|many|numerous|a few|few|two|three|four|one|\d+)\s+)?"
SEE = r"has|have|had|shows?|showed|demonstrates?|reveals?|contains?"
ANSWER = re.compile(r"\s*(?P<word>yes|no)\b(?!\s+\w)(?:[\s,.;:!-]+(?P<rest>[^.!?\n]*))?", re.IGNORECASE)


def is_mass(noun: str) -> bool:
    """Return whether an English noun (or noun phrase, by its last word) takes no article: "edema", not "nodule"."""
    return bool(MASS.search(noun))


def is_plural(noun: str) -> bool:
    """Return whether an English noun is a plural: "nodules", not "atelectasis"."""
    return bool(PLURAL.search(noun))


def negations(text: str) -> list[Edit]:
    """Return the edits of every sentence; those of a leading "yes" or "no" change what follows it, too."""
    lead = ANSWER.match(text)
    edits = [_answer(lead)] if lead else []
    after = lead.end() if lead else 0
    return edits + [
        Edit(KIND, (place,)) for start, end in sentences(text) if start >= after for place in _in(text, start, end)
    ]


def _answer(lead: re.Match[str]) -> Edit:
    """Flip a leading yes or no; a rest that cannot be flipped with it is left out, since it would contradict it."""
    flipped = Place(*lead.span("word"), "no" if lead["word"].lower() == "yes" else "yes")
    if not (lead["rest"] or "").strip():
        return Edit(KIND, (flipped,))
    rest = next(_in(lead.string, *lead.span("rest")), None)
    return Edit(KIND, (flipped, rest or Place(flipped.end, lead.end("rest"), "")))


def _in(text: str, start: int, end: int) -> Iterator[Place]:
    """Yield what can be flipped in a sentence, what denies before what affirms; a place is flipped by one rule."""
    taken: list[tuple[int, int]] = []
    for pattern, replacement in RULES:
        for found in pattern.finditer(text, start, end):
            if not any(found.start() < right and left < found.end() for left, right in taken):
                taken.append(found.span())
                yield Place(*found.span(), replacement(found))


def _with_article(found: re.Match[str]) -> str:
    noun = found["noun"].strip()
    bare = is_mass(noun) or is_plural(noun)
    return f"{found['head']} {noun}" if bare else f"{found['head']} {article(noun)} {noun}"


def _does(found: re.Match[str]) -> str:
    verb = found["verb"]
    if found["do"].lower() != "does":
        return verb if found["do"].lower() == "do" else f"{found['do']} {verb}"
    if verb == "have":
        return "has"
    return verb + ("es" if re.search(r"(?:s|sh|ch|x|o)$", verb) else "s")


def _rule(
    pattern: str, replacement: Callable[[re.Match[str]], str]
) -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    return re.compile(pattern, re.IGNORECASE), replacement


FILLED = r"(?!(?:there|it|this|the|they|not|doubt|change|longer|more|other)\b)"
RULES = (
    _rule(rf"\b(?P<head>there (?:is|was)) (?:no|not any|not an?) {NOUN}", _with_article),
    _rule(r"\b(?P<head>there (?:are|were)) (?:no|not any)\b", lambda found: found["head"]),
    _rule(rf"\b(?P<head>{SEE}|with) no {NOUN}", _with_article),
    _rule(rf"(?<!\w)(?<!\w )no {FILLED}(?P<next>[a-z])", lambda found: found["next"]),
    _rule(r"\bwithout\b", lambda _: "with"),
    _rule(r"\b(?P<do>does|do|did)(?:\s+not|n['’]t) (?P<verb>[a-z]+)(?: any\b)?", _does),
    _rule(rf"\b(?P<head>is|are|was|were|has|have|can|could){NOT}", lambda found: found["head"]),
    _rule(r"\bcannot\b", lambda _: "can"),
    _rule(r"(?<!\w)(?<!\w )not (?!sure|certain)(?P<next>[a-z])", lambda found: found["next"]),
    _rule(rf"\b(?P<head>there (?:is|was)) {NO_NOUN}{COUNT}(?=[a-z])", lambda found: f"{found['head']} no "),
    _rule(rf"\b(?P<head>there (?:are|were)) {NO_NOUN}{COUNT}(?=[a-z])", lambda found: f"{found['head']} no "),
    _rule(rf"\b(?P<head>{SEE}) (?:an?|some|evidence of) (?=[a-z])", lambda found: f"{found['head']} no "),
    _rule(r"\bcan be\b", lambda _: "cannot be"),
    _rule(
        r"(?<!there )\b(?P<head>is|are|was|were)\b(?!\s+(?:no|not)\b|n['’]t)(?=\s+\w)",
        lambda found: f"{found['head']} not",
    ),
)
