"""A text or the name of a file -> which kinds of what identifies people it seems to hold: dates, numbers, names."""

from __future__ import annotations

import re
from collections.abc import Set

MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|januar|märz|mai|okt|dez"
DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-./_]?(?:0[1-9]|1[0-2])[-./_]?(?:0[1-9]|[12]\d|3[01])"  # 2019-03-12, 20190312
    r"|(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|[12]\d|3[01])[-./](?:19|20)?\d\d"  # 12.3.2019, 3/12/19
    rf"|(?:0?[1-9]|[12]\d|3[01])(?:\.|st|nd|rd|th)? (?:{MONTHS})[a-zä]*\.?,? (?:19|20)\d\d"  # 12 March 2019
    rf"|(?:{MONTHS})[a-z]*\.? (?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?,? (?:19|20)\d\d)(?!\d)",  # March 12, 2019
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?<![\d.])\d{6,}(?![\d.])")
MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
# A title with a name after it, a label with one, and DICOM's own spelling (DOE^JOHN).
NAME = re.compile(
    r"\b(?:Dr|Prof|Mr|Mrs|Ms|Miss|Herr|Frau|Sr|Sra|Mme)\.? [A-ZÄÖÜ][\w'-]+"
    r"|\b(?i:patient|name|physician|radiologist|reported by|signed by|dictated by)(?: name)?: ?[A-ZÄÖÜ][\w'-]+"
    r"|\b\w{2,}\^\w+"
)
WORD = re.compile(r"[^\W\d_]+")


def kinds_in(text: str, names: Set[str] = frozenset()) -> set[str]:
    """Return the kinds that `text` seems to hold: date, number (six digits or more), mail address, name.

    `names` are parts of names that are known from elsewhere, in lower case. A rule of thumb: it neither finds all, nor
    is all that it finds a person's.
    """
    dates = DATE.sub(" ", text)
    found = {"date"} if dates != text else set()
    found |= {"number"} if NUMBER.search(dates) else set()
    found |= {"mail address"} if MAIL.search(text) else set()
    known = names and names & {word.lower() for word in WORD.findall(text)}
    return found | ({"name"} if known or NAME.search(text) else set())
