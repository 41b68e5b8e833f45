"""A text and replacements for some of its words -> the new text, with the capitals and articles of the old one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# A full stop within a number (1.5 cm) or before a small letter (approx. 2 cm) ends no sentence.
SENTENCE = re.compile(r"(?:[^.!?。！？；;\n]|\.(?=\d|\s+[a-z])|(?<=\d)\.(?=\d))+[.!?。！？；;\n]*")
ARTICLE = re.compile(r"(?<![\w-])(an?)(\s+)$", re.IGNORECASE)
ABBREVIATIONS = {"CT", "MRI", "MR", "FLAIR", "DWI", "T1", "T2", "PA", "AP", "GI", "CNS", "CSF"}
AN = re.compile(r"(?!uni|eu|us[ea]|one)[aeiou]|x-?ray|mri\b|8|1[18]\b", re.IGNORECASE)


class Place(NamedTuple):
    """The characters `start:end` of a text and what replaces them."""

    start: int
    end: int
    after: str


class Edit(NamedTuple):
    """One wrong statement: its kind and the places that make it, from left to right."""

    kind: str
    places: tuple[Place, ...]

    @property
    def start(self) -> int:
        """Where the first place begins."""
        return self.places[0].start


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence of `text`."""
    for found in SENTENCE.finditer(text):
        if found[0].strip():
            yield found.span()


def article(words: str) -> str:
    """Return the indefinite article before `words`: "a" or "an"."""
    return "an" if AN.match(words) else "a"


def written(text: str, edit: Edit) -> tuple[str, str]:
    """Return the words from the first place of `edit` to its last, before and after it."""
    first, last = edit.places[0], edit.places[-1]
    after, read = "", first.start
    for start, end, new in edit.places:
        after += text[read:start] + in_case_of(text, start, end, new)
        read = end
    return text[first.start : last.end].strip(), after.strip()


def applied(text: str, edit: Edit) -> str:
    """Return `text` with the places of `edit` replaced."""
    for start, end, after in reversed(edit.places):
        head = text[:start]
        written = in_case_of(text, start, end, after)
        found = ARTICLE.search(head)
        if found and written and end > start:
            fitting = article(written)
            fitting = fitting.capitalize() if found[1][0].isupper() else fitting
            head = head[: found.start()] + (fitting.upper() if text.isupper() else fitting) + found[2]
        text = head + written + text[end:]
    return text


def in_case_of(text: str, start: int, end: int, after: str) -> str:
    """Return `after` with the capitals of the words it replaces; abbreviations keep their own."""
    before = text[start:end]
    abbreviation = before.upper() in ABBREVIATIONS
    if before.isupper() and len(before) > 1 and not abbreviation:
        return after.upper()
    if before[:1].isupper() and (start == 0 or not abbreviation):
        return after[:1].upper() + after[1:]
    return after
