"""What a model wrote -> its final answer: without blocks of thought, where a box, a tag or a label points.

Used by the rules of clincot-v2 and paper-v2; rules that carry other projects' names read answers as their originals do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from clincot.chain.thoughts import without_thoughts

BOXES = ("\\boxed{", "\\fbox{")
QUOTES = "\"'“”‘’`"
AROUND = rf"[*_#{QUOTES}\s]{{0,6}}"
NAMES = r"(?:final\s{1,3}|correct\s{1,3}|my\s{1,3})?(?:answer|verdict)"
CHINESE = r"(?:最终|最后|正确)?(?:答案|回答|结论)(?:应该|应|就)?(?:是|为)?"
LABEL = re.compile(
    rf"(?:(?<![^\W_]){NAMES}{AROUND}(?:[:：=]|(?<=\s)[-–—](?=\s))|{CHINESE}{AROUND}[:：]|(?<!\w)答\s{{0,3}}[:：]"
    rf"|^[#*_\s]{{0,9}}{NAMES}[*_#\s]{{0,6}}\n)[*_\s]{{0,6}}",
    re.IGNORECASE | re.MULTILINE,
)
PHRASE = re.compile(
    rf"(?<!\w){NAMES}\s{{1,3}}(?:to\s{{1,3}}(?:the|this|your)\s{{1,3}}question\s{{1,3}})?"
    r"(?:is|would\s{1,3}be|should\s{1,3}be|must\s{1,3}be)(?!\w)\s{0,3}[:：]?"
    r"|(?:最终|最后|正确)?(?:答案|结论)(?:应该|应|就)?(?:是(?!否)|为)",
    re.IGNORECASE,
)
EXPLANATION = re.compile(
    r"(?:^|[\n.。;；!！,，(（])[*_#\s]{0,6}(?:explanation|reasoning|reason|rationale|justification|解释|理由|原因|分析)"
    r"[*_\s]{0,6}[:：]",
    re.IGNORECASE,
)
WORDY = re.compile(r"[^\W_]")


def last_box(text: str, *boxes: str) -> str | None:
    """Return what the last of `boxes` encloses, its braces balanced; None without a box that is closed."""
    start, box = max((text.rfind(box), box) for box in boxes)
    if start < 0:
        return None
    start, depth = start + len(box), 1
    for brace in re.finditer(r"[{}]", text[start:]):
        depth += 1 if brace.group() == "{" else -1
        if not depth:
            return text[start : start + brace.start()]
    return None


def _boxed(text: str) -> str:
    return last_box(text, *BOXES) or ""


def _tagged(text: str) -> str:
    """Return what the last <answer> holds; an answer that was cut before its closing tag counts."""
    start = text.lower().rfind("<answer>")
    return text[start + len("<answer>") :].partition("</")[0] if start >= 0 else ""


def _labelled(text: str) -> str:
    """Return the line after the last label "Answer:", or after the last "answer is" of a text without labels.

    A line that echoes the question is passed over.
    """
    for sign in (LABEL, PHRASE):
        for found in reversed(list(sign.finditer(text))):
            rest = text[found.end() :].lstrip()
            if '"' in found.group() and rest.startswith('"'):
                rest = rest[1:].partition('"')[0]  # {"answer": "yes", "confidence": 0.9}
            lines = [line for line in rest.splitlines() if WORDY.search(line)]
            if lines:
                return next((line for line in lines if not line.rstrip().endswith("?")), lines[0])
    return ""


WAYS: tuple[Callable[[str], str], ...] = (_boxed, _tagged, _labelled)


def final_answer(text: str) -> str:
    """Return the answer that the text ends in, in NFKC: all of it but its thoughts where nothing points at one."""
    said = without_thoughts(unicodedata.normalize("NFKC", text))
    for way in WAYS:
        found = way(said)
        if WORDY.search(found):
            said = found
    for explained in EXPLANATION.finditer(said):
        if WORDY.search(said, 0, explained.start()):
            return said[: explained.start()]
    return said
