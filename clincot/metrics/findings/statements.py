"""A report -> its statements: what a sentence or a list entry says, under the heading that it has; no history in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clincot.metrics.findings.report_lines import Line, lines

SENTENCE_END = re.compile(r"[;!]|\.(?!\d)")
COLON = re.compile(r"(?<!\d):|:(?!\d)")
DASH = re.compile(r"\s[-–]{1,2}\s|\s?—\s?")
TO_SPACE = dict.fromkeys(map(ord, "-–−_/()[]{}\"'“”‘’*=<>"), " ")
TITLE_WORDS = 7  # a longer text before a colon is a sentence
SKIPPED = re.compile(
    r"(?:(?:clinical|patient|relevant|past|medical|brief|pertinent|surgical|social) ){0,2}(?:indications?|"
    r"history|hx|"
    r"information|info|details|data|context|question|presentation|concerns?)(?: (?:and|for) [\w ]{1,40})?|"
    r"reasons? (?:for|of) [\w ]{1,40}|comparisons?(?: [\w ]{1,20})?|techniques?|symptoms?|(?:chief|"
    r"presenting) complaint|"
    r"(?:admitting|referring|pre ?operative) diagnosis|recommendations?|follow ?up|advice|order|request|disclaimer"
)
REPORTED = re.compile(
    r"(?:(?:radiological|radiographic|chest|key|main|final|overall|imaging|x ray) ){0,2}(?:findings?|impressions?|"
    r"conclusions?|interpretation|report|observations?|opinion|assessment|summary|results?|diagnosis)"
)
# A heading of this kind is about every entry below it, not about the first alone.
LISTED = re.compile(
    r"(?:(?:pertinent|significant|relevant|important|key) )?(?:negatives?|absent|not (?:present|seen|identified|"
    r"found|"
    r"visuali[sz]ed)|no|none|none of the following|no evidence of|without|ruled out|excluded|possible|suspected|"
    r"uncertain|"
    r"equivocal|questionable|indeterminate|likely|probable|differential(?: diagnos[ei]s| considerations?)?|ddx|"
    r"considerations?|cannot exclude|present|positives?)(?: findings?)?"
)
VALUE = re.compile(
    r"(?:none|no|not? (?:seen|present|identified|visuali[sz]ed|evident|detected|noted|found|appreciated|"
    r"evidence)|absent|"
    r"negative|nil|neg|present|yes|positive|possible|uncertain|equivocal|questionable|unlikely|resolved|"
    r"cannot be excluded|"
    r"not excluded|(?:none|no)(?: \w+)? (?:seen|identified|present|noted|evident))"
)
SIZE_VALUE = re.compile(
    r"(?:small|tiny|trace|mild|moderate|large|minimal|severe)(?:[, ]+(?:left|right|bilateral|sided))*"
)


@dataclass(frozen=True)
class Statement:
    """`title`: the words before its colon, or the heading above it; "" without one. Both are plain words and commas."""

    title: str
    text: str


def statements(text: str) -> list[Statement]:
    """Return what the report says, in its order; indications, histories and comparisons are left out."""
    found: list[Statement] = []
    for title, said in _reported(_parts(lines(text))):
        alone = not title and (VALUE.fullmatch(said) or SIZE_VALUE.fullmatch(said))
        if alone and found and not found[-1].title:  # `Pneumothorax? No.`, or a finding and its value on two lines
            found[-1] = Statement(found[-1].text, said)
        elif said:
            found.append(Statement(title, said))
    return found


def plain(text: str) -> str:
    """Words with single spaces; hyphens, slashes, quotes and brackets are spaces, a dash alone is `none`."""
    if text and not text.strip(" -–−—"):
        return "none" if text.strip() else ""
    return " ".join(text.translate(TO_SPACE).replace(" ,", ",").split()).strip(" ,")


def _pieces(line: Line) -> Iterator[tuple[str, str]]:
    """(title, text) of each sentence of a line; (title, "") where the line only announces."""
    if line.title:
        yield plain(line.text.rstrip(" :.")), ""
        return
    for sentence in SENTENCE_END.split(line.text):
        if plain(sentence) or sentence.strip():
            yield from _titled(sentence)


def _titled(sentence: str) -> Iterator[tuple[str, str]]:
    *titles, said = [part for part in COLON.split(sentence) if part.strip() not in ("q", "a")] or [""]
    if not titles:
        *titles, said = DASH.split(said)
        if len(titles) > 1:  # dashes between several remarks
            yield from (("", plain(remark)) for remark in (*titles, said))
            return
    for number, title in enumerate(titles):
        last = number == len(titles) - 1
        if len(title.split()) > TITLE_WORDS:
            yield "", plain(title)
            if last:
                yield "", plain(said)
        else:
            yield plain(title), plain(said) if last else ""
    if not titles:
        yield "", plain(said)


@dataclass(frozen=True)
class Part:
    title: str
    text: str
    entry: bool
    first: bool
    blank: bool


def _parts(read: list[Line]) -> list[Part]:
    parts: list[Part] = []
    for line in read:
        if line.blank:
            parts.append(Part("", "", False, True, True))
        for number, (title, said) in enumerate(_pieces(line)):
            heading = not title and (SKIPPED.fullmatch(said) or REPORTED.fullmatch(said))
            title, said = (said, "") if heading else (title, said)
            parts.append(Part(title, said, line.entry, number == 0, False))
    return parts


def _reported(parts: list[Part]) -> Iterator[tuple[str, str]]:
    """Drop the sections about why and how the image was made; hand a heading to what is below it."""
    last_report = max((n for n, part in enumerate(parts) if REPORTED.fullmatch(part.title)), default=-1)
    skipping, skipped_text, above = "", False, ""
    for number, part in enumerate(parts):
        if part.blank:
            skipping = "" if skipped_text and number > last_report else skipping
            above = "" if LISTED.fullmatch(above) else above
            continue
        if SKIPPED.fullmatch(part.title):
            skipping, skipped_text, above = "section" if number < last_report else "line", bool(part.text), ""
            continue
        goes_on = skipping == "section" or not skipped_text or (not part.first and _asks(part.text))
        if skipping and not part.title and goes_on:
            skipped_text = True
            continue
        skipping = ""
        if part.title and not part.text:
            above = part.title
            continue
        yield (part.title or above), part.text
        above = above if LISTED.fullmatch(above) and not part.title else ""


def _asks(said: str) -> bool:
    return bool(re.match(r"(?:please |to |possible )?(?:rule out|evaluate|assess|exclude|query|check|concern)", said))
