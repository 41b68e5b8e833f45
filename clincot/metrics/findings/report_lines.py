"""A report in prose, lists, markdown, HTML or tables -> its lines, each with its marker and its emphasis taken off."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MARKER = re.compile(
    r"\s*(?:[-*+•▪◦‣●○■·>–—](?=\s|[^\W\d_])|#{1,6}(?=\s)|\(?\d{1,2}[.)](?!\d)|\(?[a-z][.)](?=\s))\s*", re.I
)
BOX = re.compile(r"\[( ?|x|✓|✔)\]\s*(?=\w)", re.I)
RULE = re.compile(r"[\s:|=_*-]*")
MARKUP = re.compile(r"</?[a-z][^<>\n]{0,60}>|\*\*|__|`", re.I)
LINE_TAG = re.compile(r"<(?:br|hr)\s?/?>|</?(?:p|li|tr|ul|ol|div|h\d)>", re.I)
CELL_TAG = re.compile(r"</t[dh]>\s*(?=<t[dh])", re.I)
# A line of a paragraph that was cut at a width: it ends, or the next one begins, inside a phrase.
OPEN_END = re.compile(
    r"(?:,|[.;] no|\b(?:or|and|nor|of|the|an?|in|with|without|to|at|on|for|is|are|was|has|have|than|from|by|be|which|"
    r"pleural|focal|"
    r"acute|evidence))$"
)
GOES_ON = re.compile(r"(?:or|and|nor|of|is|are|was|were|has|have|which|than)\b")
WIDTH = 50  # letters; a longer line that is followed by a small letter was cut there
SIGNS = {"✓": " : present ", "✔": " : present ", "✅": " : present ", "✗": " : absent ", "✘": " : absent "}
SIGNS |= {"❌": " : absent "}
LEADING = re.compile(r"^([ \t]*(?:[-*•] ?)?)[✓✔✅✗✘❌]\ufe0f?\s*(?=\w)", re.MULTILINE)
SHORT = {
    r"\bw/o\b": "without", r"\bs/p\b": "status post", r"\br/o\b": "rule out", r"\bc/w\b": "consistent with",
    r"\bh/o\b": "history of", r"\bc/f\b": "concerning for", r"\bvs\.": "versus", r"\be\.g\.": "such as",
    r"\bi\.e\.": "that is", r"\+/-|"
    r"±": " possible ", r"\(\s?[-−–]\s?\)": " : absent, ", r"\(\s?\+\s?\)": " : present, ",
    r"(?<!\S)\?+\s*(?=\w)": "possible ", r"\?+": " questioned. ",
    # each `, name: value` of a record is a line of it, and so is each numbered entry
    r"[-=]>|→": ":",
    r"(?<=\w) / (?=\w)": "; ",
    r",(?=[^,.;:\n]{1,40}:)": ";", r"[ \t](?:[•▪◦‣●]|[*+](?=\s)|\(?\d{1,2}[.)](?=\s+[^\W\d_]))": "\n- ",
}  # fmt: skip
SHORTENED = [(re.compile(short, re.I), whole) for short, whole in SHORT.items()]


@dataclass(frozen=True)
class Line:
    """`text` is lower-cased. `entry`: it had a list marker. `title`: it is a markdown heading, or bold as a whole.

    `small`: it begins with a small letter in a report where other lines begin with capital ones.
    """

    text: str
    entry: bool = False
    title: bool = False
    blank: bool = False
    small: bool = False


def lines(text: str) -> list[Line]:
    """Return the lines of a report; a row of a table is the line `first cell: other cells`."""
    raw = unicodedata.normalize("NFKC", text)
    cased = any(row[:1].isupper() for row in raw.splitlines())
    raw = CELL_TAG.sub(" | ", LINE_TAG.sub("\n", raw))
    raw = LEADING.sub(r"\1", raw)
    for sign, word in SIGNS.items():
        raw = raw.replace(sign, word)
    for short, whole in SHORTENED:
        raw = short.sub(whole, raw)
    rows = raw.splitlines()
    if all(len(row.split()) < 2 for row in rows):
        rows = [" ".join(raw.split())]  # one word a line is a column, not a list of sentences
    return list(_joined(_read(rows, cased)))


def _read(rows: list[str], cased: bool) -> Iterator[Line]:
    columns: list[str] = []
    for row in rows:
        if "|" in row:
            cells = [MARKUP.sub("", cell).strip().lower() for cell in row.strip().strip("|").split("|")]
            if sum(":" in cell for cell in cells) > 1 and not RULE.fullmatch(row):
                yield from (Line(cell, entry=True) for cell in cells)
            elif not RULE.fullmatch(row):
                yield Line(_row(cells, columns), entry=True)
                columns = columns or cells
            continue
        columns = []
        yield _line(row, cased)


def _row(cells: list[str], columns: list[str]) -> str:
    """`name: value`; a cross in a column called present or absent is that word."""
    name, *values = cells
    named = dict(zip(columns[1:], values, strict=False))
    crossed = [column for column, value in named.items() if value in ("x", ": present", ": absent", "yes") and column]
    if len(columns) > 2 and len(crossed) == 1 and crossed[0] in ("present", "absent", "yes", "no", "possible"):
        return f"{name}: {crossed[0]}"
    said = ", ".join(value.removeprefix(":").strip() for value in values if value)
    return f"{name}: {said}" if values else name


def _line(row: str, cased: bool) -> Line:
    bare = row.strip()
    title = bare.startswith("#") or (len(bare) > 4 and bare[:2] == bare[-2:] in ("**", "__") and "**" not in bare[2:-2])
    rest, entry = bare, False
    for _ in range(3):  # `- 1. ` and `> - `
        marker = None if rest.startswith("**") else MARKER.match(rest)
        if not marker or not marker.end():
            break
        rest, entry = rest[marker.end() :], True
    if box := BOX.match(rest):
        rest = f"{rest[box.end() :]}: {'present' if box[1].strip() else 'absent'}"
    rest = MARKUP.sub("", rest).strip()
    return Line(rest.lower(), entry and not title, title, not bare, cased and rest[:1].islower())


def _joined(read: Iterator[Line]) -> Iterator[Line]:
    last: Line | None = None
    for line in read:
        if last and _wrapped(last, line):
            last = Line(f"{last.text} {line.text}", last.entry)
            continue
        if last:
            yield last
        last = line
    if last:
        yield last


def _wrapped(last: Line, line: Line) -> bool:
    whole = last.blank or line.blank or last.title or line.title or line.entry or not last.text or ":" in line.text
    if whole or last.text[-1] in ".;:!?":
        return False
    cut = len(last.text) >= WIDTH and line.small
    return cut or bool(OPEN_END.search(last.text[-20:]) or GOES_ON.match(line.text))
