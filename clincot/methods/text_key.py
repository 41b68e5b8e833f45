"""A candidate's text -> the key by which it equals others: its words, numbers and signs, in any script."""

from __future__ import annotations

import re
import unicodedata

# Within a number these are part of it: 1.5, 1,5, 3:1, 10/20, 3-4. Elsewhere they are punctuation.
WITHIN_NUMBERS = set(".,:/-")
MEANING = {"%", "‰", "‱", "?", "؟"}  # punctuation by Unicode, but a share and a doubt say something else
MARKUP = {"|", "`"}
SPELLED = {">=": "≥", "<=": "≤", "+/-": "±", "=>": "⇒", "->": "→"}
QUOTED = re.compile(r"^\s*>(?:\s*>)*(?=\s+[^\s\d])", re.MULTILINE)  # of markdown; "> 3 cm" is a size
HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—―−﹣"), "-")


def text_key(text: str) -> str:
    """Return the words of `text` in NFKC and casefolded, with single spaces; equal keys are equal texts.

    Letters with their marks, digits and signs that carry meaning (<, >=, +, ±, %, °, ?, a minus before a number) count;
    case, punctuation, quotes and markdown do not. A text without any of these has an empty key, which equals nothing.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(HYPHENS)
    for written, sign in SPELLED.items():
        folded = folded.replace(written, sign)
    folded = QUOTED.sub(" ", folded)
    padded = f" {folded} "
    kept = [_kept(*around) for around in zip(padded, padded[1:], padded[2:], strict=False)]
    return " ".join("".join(kept).split())


def _kept(before: str, sign: str, after: str) -> str:
    """Return what stays of a sign between its neighbours: itself, itself as a separate word, a space, or nothing."""
    kind = unicodedata.category(sign)
    if kind[0] in "LNM":
        return sign
    if kind == "Cf":  # joiners and marks of direction, which are not seen
        return ""
    if sign in WITHIN_NUMBERS and after.isdecimal() and (before.isdecimal() or (sign in "-." and not before.isalnum())):
        return sign
    if (kind[0] == "S" and kind != "Sk" and sign not in MARKUP) or sign in MEANING:
        return f" {sign} "
    return " "
