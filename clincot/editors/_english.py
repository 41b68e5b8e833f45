"""An English text -> the edits of its sides, degrees, places, findings, numbers, and of the names in a short answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from clincot.editors import _english_words as words
from clincot.editors._edits import Edit, Place, sentences
from clincot.editors._finding_nouns import FINDINGS, RELATED, SYNONYMS
from clincot.editors._negation import is_mass, is_plural, negations

SHORT = 3  # words of an answer that is no sentence
LIST = 10  # words of an answer that is at most a list of names
FILLER = re.compile(r"\b(?:the|an?|in|on|of|weighted|view|image|scan|film|system|dark|light|one)\b", re.IGNORECASE)
ITEM = re.compile(r"(?:(?!\band\b|\bor\b)[^,;.&()])+", re.IGNORECASE)
NOTHING = re.compile(r"(?:no|without) (?:\w+ )?(?:abnormality|abnormalities|findings?|lesions?|disease)|nothing")
TOGETHER = re.compile(r"\b(?:left\s*(?:and|&|/|to)\s*right|right\s*(?:and|&|/|to)\s*left)\b", re.IGNORECASE | re.ASCII)
NUMBER = re.compile(r"(?<![\w.,/:+-])\d+(?:\.\d+)?(?![\w/:]|[.,-]\d)", re.ASCII)
ARTICLE = re.compile(r"(?<![\w-])an?\s+(?:[\w-]+\s+){0,3}$", re.IGNORECASE)
AN_MASS = {"consolidation", "hemorrhage", "calcification", "infiltration", "infarction"}  # with an article or without


def edits(text: str, vocabulary: Iterable[str]) -> list[Edit]:
    """Return what can be made wrong in `text`; `vocabulary` are the findings that may be named instead."""
    whole = " ".join(text.lower().strip(" .").split())
    if whole in words.WHOLE:
        return [Edit("answer", (Place(*_span(text), words.WHOLE[whole]),))]
    if NOTHING.fullmatch(whole):
        return [Edit("answer", (Place(*_span(text), FINDINGS.get(name, (name,))[0]),)) for name in vocabulary]
    return [
        *_sides(text),
        *negations(text),
        *_opposites(text),
        *_findings(text, tuple(vocabulary)),
        *_numbers(text),
        *_named(text),
    ]


def _span(text: str) -> tuple[int, int]:
    start = len(text) - len(text.lstrip())
    return start, len(text.rstrip(" .\n"))


def _sides(text: str) -> Iterator[Edit]:
    """Swap the sides of each sentence; one that names both together would say the same again and is left alone."""
    other = _other("sides")
    for start, end in sentences(text):
        found = list(_pattern("sides").finditer(text, start, end))
        if found and not TOGETHER.search(text, start, end):
            yield Edit("laterality", tuple(Place(*one.span(), other[one[0].lower()]) for one in found))


def _opposites(text: str) -> Iterator[Edit]:
    for kind in words.OPPOSITES:
        other = _other(kind)
        for found in _pattern(kind).finditer(text):
            word = found[0].lower()
            excluded = words.NOT_BEFORE.get(word)
            meant = not (excluded and re.match(rf"\s+(?:{excluded})", text[found.end() :], re.IGNORECASE))
            if meant and not _says(text, other[word]):
                yield Edit(kind, (Place(*found.span(), other[word]),))


@cache
def _other(kind: str) -> dict[str, str]:
    """Return word -> opposite; a word that closes several pairs has the first one's."""
    pairs = words.SIDES if kind == "sides" else words.OPPOSITES[kind]
    table: dict[str, str] = {}
    for one, other in pairs:
        table.setdefault(one.lower(), other)
        table.setdefault(other.lower(), one)
    return table


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    longest_first = sorted(_other(kind), key=len, reverse=True)
    before = r"(?<![\w-])(?!(?<=\ba )(?:few|little)\b)"  # "a few" is no word for few
    return re.compile(rf"{before}(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE | re.ASCII)


def _numbers(text: str) -> Iterator[Edit]:
    """Change numbers by one, measures with decimals twofold; "1" and "0" only where the noun after them is missing."""
    for found in NUMBER.finditer(text):
        if "." in found[0]:
            digits = len(found[0].partition(".")[2])
            options = [f"{float(found[0]) * 2:.{digits}f}"] if float(found[0]) else []
        else:
            number, alone = int(found[0]), text.strip(" .") == found[0]
            near = (number - 1, number + 1, number + 2)
            options = [str(one) for one in near if one >= (0 if alone else 2)] if number > 1 or alone else []
        yield from (Edit("number", (Place(*found.span(), one),)) for one in options)


def _findings(text: str, vocabulary: Sequence[str]) -> Iterator[Edit]:
    """Name another finding in place of one, as fits its article and number; none that the text names already."""
    nouns = {name: FINDINGS.get(name, (name, "")) for name in vocabulary}
    known = {noun.lower(): name for name, both in {**FINDINGS, **nouns}.items() for noun in both if noun}
    known |= SYNONYMS
    longest_first = "|".join(sorted(map(re.escape, known), key=len, reverse=True))
    found = list(
        re.finditer(rf"(?<![\w-])(?:pulmonary )?(?P<noun>{longest_first})(?!\w)", text, re.IGNORECASE | re.ASCII)
    )
    said = {known[one["noun"].lower()] for one in found}
    for one in found:
        excluded = said.union(*(group for group in RELATED if known[one["noun"].lower()] in group))
        options = [nouns[name] for name in nouns if name not in excluded]
        for noun in _fitting(text, one, options):
            yield Edit("finding", (Place(*one.span(), noun),))


def _fitting(text: str, found: re.Match[str], options: Iterable[tuple[str, str]]) -> list[str]:
    noun, before = found["noun"].lower(), text[: found.start()]
    if is_plural(noun) and not is_mass(noun):
        return [plural for _, plural in options if plural]
    singular = [noun for noun, _ in options]
    if ARTICLE.search(before):
        return [one for one in singular if not is_mass(one) or one in AN_MASS]
    if is_mass(noun) and len(text.split()) > SHORT:
        return [one for one in singular if is_mass(one)]
    return singular


def _named(text: str) -> Iterator[Edit]:
    """Name another of its group in place of an item that is nothing but a name: "liver, heart" -> "liver, spleen"."""
    if len(text.split()) > LIST:
        return
    for item in ITEM.finditer(text):
        rest = FILLER.sub("", _names().sub("", item[0]))
        if not rest.strip(" ./-"):
            for found in _names().finditer(text, *item.span()):
                yield from _others(text, found)


def _others(text: str, found: re.Match[str]) -> Iterator[Edit]:
    said = {_group_word(one[0]) for one in _names().finditer(text)}
    for kind, group in words.GROUPS.items():
        if _group_word(found[0]) in map(str.lower, group):
            options = [one for one in group if one.lower() not in said]
            yield from (Edit(kind, (Place(*found.span(), one),)) for one in options)


def _group_word(name: str) -> str:
    word = " ".join(name.lower().split())
    return words.WRITTEN.get(word, word).lower()


def _says(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(word)}(?!\w)", text, re.IGNORECASE | re.ASCII))


@cache
def _names() -> re.Pattern[str]:
    names = {name for group in words.GROUPS.values() for name in group} | set(words.WRITTEN)
    listed = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{listed})(?![\w-])", re.IGNORECASE | re.ASCII)
