"""A response and MedEvalKit's reading of it -> the answer that it compares, the words of its BLEU and of its F1.

alibaba-damo-academy/MedEvalKit@9b12e3b (SLAKE.py, utils.py, cal_report_metrics.py), with mathruler's box: the *last*
\\boxed{}, its braces balanced. Its oddities are kept: a response that has "boxed" in it and no box is the text "None".
"""

from __future__ import annotations

from clincot.metrics.reading.final import last_box

BOX, OPENING, CLOSING = "\\boxed{", "<answer>", "</answer>"
# MedEvalKit keeps what follows the last of each of these, in this order.
ANSWER_MARKS = (
    "**answer**:",
    "**answer**",
    "*answer*:",
    "**answer:**",
    "answer is",
    "answer:",
    "答案:",
    "final answer",
    "final answer is",
)
HEADINGS = ("Findings:", "Impression:")


def _box(text: str) -> str:
    found = last_box(text, BOX)
    return "None" if found is None else found.strip()


def _tagged(text: str) -> str:
    """Return all that the answer tags enclose, joined by spaces; the text itself where they enclose nothing."""
    if OPENING not in text:
        return text
    parts = (part.partition(CLOSING) for part in text.split(OPENING)[1:])
    return " ".join(inside for inside, closed, _ in parts if closed).strip() or text


def response_of(prediction: str) -> str:
    """Return what MedEvalKit compares with the lower-cased gold."""
    box = _box(prediction)
    said = (box if box != "None" else _tagged(prediction)).lower()
    said = _box(said) if "boxed" in said else _tagged(said)
    for mark in ANSWER_MARKS:
        said = said.rpartition(mark)[2]
    return said


def hit(prediction: str, gold: str) -> bool:
    """Its closed rule; the gold is lower-cased before it counts as yes or no, which the original forgets for SLAKE."""
    said, wanted = response_of(prediction).replace("\n", "").replace(".", ""), gold.lower()
    if wanted in ("yes", "no"):
        return ("yes" in said) != ("no" in said) and wanted in said
    return said == wanted


def report_words(text: str) -> list[str]:
    """Return the words of a report's BLEU and METEOR: cut at single spaces, a full stop is a word, line breaks stay."""
    return [word for word in text.lower().replace(".", " .").split(" ") if word]


def without_headings(prediction: str) -> str:
    """Return a generated report without the two section names, which it deletes from predictions alone."""
    for heading in HEADINGS:
        prediction = prediction.replace(heading, "")
    return prediction
