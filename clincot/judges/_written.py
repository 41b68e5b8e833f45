"""The reply that a judge wrote -> the number on the rubric's scale that it gives, or None where it gives none."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from clincot.chain.thoughts import without_thoughts

TOP = 9  # of the rubric
# Scripts without spaces write a number next to a word; elsewhere a letter makes it a name or a unit (T2, 2cm).
LETTER = "A-Za-z\u00aa-\u1fff"
NUMBER = re.compile(
    rf"(?<![\d{LETTER}])(?<![\w][.,])(?P<sign>[-+])?(?P<digits>\d+(?:[.,]\d+)?)(?![\d{LETTER}])(?![.,]\d)"
)
OWN_SCALE = re.compile(
    r"(?:(?:scale|range)\s+(?:of|from)\s+|from\s+|between\s+)?(?<![\w.,/-])0\s*(?:\([^()\n]{0,30}\)\s*)?"
    r"(?:-|to|and|\.{2,3}|through)\s*9(?![\w/])(?!\s*/)(?![.,]\d)(?:\s*\([^()\n]{0,30}\))?",
    re.IGNORECASE,
)
OTHER_SCALE = re.compile(r"\bscale\s+(?:of|from|is|:)?\s*\d", re.IGNORECASE)
LABEL = re.compile(
    r"(?P<final>\b(?:final|overall)\W{1,3})?"
    r"\b(?:rating|scores?|digit|grade|mark|verdict|rate[sd]?|give|assign)\b[^\d\n.;!?]{0,40}$"
    r"|(?:评分|分数|打分|得分|[给评])[^\d\n.;!?。;]{0,10}$",
    re.IGNORECASE,
)
ANOTHERS = re.compile(r"\b(?:reviewer|he|she|they)\b[^\d\n.;!?]{0,20}$", re.IGNORECASE)
NAMED = re.compile(
    r"(?:\b(?:statement|image|figure|fig|step|slice|series|question|candidate|item|option|case|reviewer|report|part"
    r"|criterion|grade of|stage|type|level|segment|zone|number|no)\.?|#)\s*$",
    re.IGNORECASE,
)
DENIED = re.compile(r"(?:\b(?:not|never|nor|neither|than|instead of)|n't|[<>≤≥])\s*(?:a\s+|an\s+)?$", re.IGNORECASE)
BOUNDED = re.compile(
    r"\b(?:at\s+(?:least|most)|(?:more|less|over|under|above|below)(?:\s+than)?|up\s+to)\s*$", re.IGNORECASE
)
OF_ANOTHER = re.compile(r"\s*(?:/|out\s+of|of)\s*(\d+(?:[.,]\d+)?)", re.IGNORECASE)
RANGE_AFTER = re.compile(r"\s*(?:-|to|or|\.{2,3})\s*\d", re.IGNORECASE)
RANGE_BEFORE = re.compile(r"\d\s*(?:-|to|or|\.{2,3})\s*$|\bbetween\s+\d[\d.,]*\s+and\s*$", re.IGNORECASE)
BETWEEN = re.compile(r"\bbetween\s*$", re.IGNORECASE)
SHARE = re.compile(r"\s*(?:%|percent\b|per\s+cent\b|stars?\b)", re.IGNORECASE)
# What may follow a rating within its sentence; another word is what the number counts ("2 lesions", "3 cm").
GOES_ON = re.compile(
    r"\s*(?:$|[^\w\s]|\n|分|(?:out|of|because|since|as|on|for|from|points?|and|but|with|given|which|is|means?|due|based"
    r"|overall|here|to|or|the|this|it|right|wrong|correct)\b)",
    re.IGNORECASE,
)
ITEM = re.compile(r"(?:^|\n)\s*$")
ITEM_END = re.compile(r"[.)]\s+[^\W\d_]")
REFUSAL = re.compile(
    r"\bI(?:\s+am|'m)?\s+(?:cannot|can't|can\s+not|unable|not\s+able|won't)\b"
    r"|\bI\s+(?:do\s+not|don't)\s+(?:have|see|rate|assess|provide|evaluate)\b"
    r"|\b(?:cannot|can't)\s+(?:assist|help|provide|rate|assess)\b|\bas\s+an\s+AI\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Said:
    """A number of a reply; `value` is None where it lies on another scale or in a range."""

    value: float | None
    labelled: bool
    final: bool
    alone: bool
    denied: bool


def number_in(reply: str, *, cut: bool = False) -> float | None:
    """Return the number from 0 to 9 that `reply` gives as its rating, None where it gives none or more than one.

    Blocks of thought do not count. A number after a label ("Rating: 7") comes before a bare one. Another scale
    ("8/10", "85 %", "0.8"), a range, a number that counts or names something else ("2 nodules", "T2") and
    a refusal are not ratings. `cut`: the reply ended at its length limit, so a number at its end may be incomplete.
    """
    text = OWN_SCALE.sub(" ", _plain(without_thoughts(reply)))
    if OTHER_SCALE.search(text):
        return None
    said = [number for found in NUMBER.finditer(text) if (number := _read(text, found, cut)) is not None]
    values = {number.value for number in _chosen(text, said)}
    return values.pop() if len(values) == 1 else None


def _chosen(text: str, said: list[_Said]) -> list[_Said]:
    """Return the numbers that are the rating: the final ones, else the labelled, else those alone, else all."""
    labelled = [number for number in said if number.labelled and not number.denied]
    if labelled:
        return [number for number in labelled if number.final] or labelled
    if REFUSAL.search(text) or any(number.denied for number in said):
        return []
    alone = [number for number in said if number.alone]
    return alone or said


def _plain(reply: str) -> str:
    """Return the reply in NFKC with digits of any script as 0 to 9, plain hyphens, and without markup."""
    folded = unicodedata.normalize("NFKC", reply)
    folded = "".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in folded)
    folded = re.sub(r"[\u2010-\u2015\u2212]", "-", folded)
    folded = re.sub(r"<(/?)([A-Za-z]\w*)>", lambda tag: " " if tag[1] else f" {tag[2]}: ", folded)
    folded = re.sub(r"<\s*(\d[\d.,]*)\s*>", r" \1 ", folded)
    return re.sub(r"[*_`\[\]{}\"'“”‘’\\$]|\\boxed", lambda sign: "'" if sign.group() in "'’" else " ", folded)


def _read(text: str, found: re.Match[str], cut: bool) -> _Said | None:
    """Return the number with the text around it, None where it counts or names something else."""
    before, after = text[: found.start()], text[found.end() :]
    if NAMED.search(before) or _is_item(before, found, after):
        return None
    label = LABEL.search(before)
    other = OF_ANOTHER.match(after)
    foreign = _foreign(found, before, after, cut) or (other is not None and other.group(1) != str(TOP))
    named = label is not None and before.rstrip().endswith((":", "="))
    if not (foreign or named or other or GOES_ON.match(after)):
        return None
    value = float(found["digits"].replace(",", "."))
    rest = after[other.end() :] if other else after
    return _Said(
        value=None if foreign or not _on_scale(found["digits"], value) else value,
        labelled=label is not None and not _anothers(before[: label.end()], label.start()),
        final=label is not None and label["final"] is not None,
        alone=bool(re.search(r"(?:^|[\n.;!?])\W*$", before)) and bool(re.match(r"\s*(?:$|[\n.;!?])", rest)),
        denied=DENIED.search(before) is not None,
    )


def _anothers(before: str, label: int) -> bool:
    """Return whether the rating at `label` is another reviewer's, or one that is refused: "I cannot rate this"."""
    refused = [found.end() for found in REFUSAL.finditer(before)]
    near = bool(refused) and len(before[refused[-1] : label].split()) < 3
    return near or ANOTHERS.search(before[:label]) is not None


def _is_item(before: str, found: re.Match[str], after: str) -> bool:
    """Return whether the number marks the first item of a list: "1. The statement is correct"."""
    return found.group() == "1" and ITEM.search(before) is not None and ITEM_END.match(after) is not None


def _foreign(found: re.Match[str], before: str, after: str, cut: bool) -> bool:
    ranged = RANGE_AFTER.match(after) or RANGE_BEFORE.search(before) or BETWEEN.search(before)
    incomplete = cut and not after.strip()
    return bool(found["sign"] == "-" or ranged or SHARE.match(after) or BOUNDED.search(before) or incomplete)


def _on_scale(digits: str, value: float) -> bool:
    """Return whether a number can be meant on the rubric's scale; a decimal up to 1 is one of a scale from 0 to 1."""
    return value <= TOP and not (("." in digits or "," in digits) and 0 < value <= 1)
