"""A radiology report -> which of the 14 CheXpert labels it states, denies or doubts, by rules and without weights.

A label is positive if any mention of it is, else uncertain, else negative, else absent (CheXpert's order). No Finding
holds when a text has words, no other label is positive or uncertain (support devices aside) and nothing else abnormal
(degenerative spine, granuloma, ...) is stated. A text that refuses to read the image has no label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from clincot.metrics.findings import cues, phrases, scope
from clincot.metrics.findings.refusals import STATED, without_refusal
from clincot.metrics.findings.statements import Statement, statements

State = Literal["positive", "uncertain", "negative"]
ORDER: tuple[State, ...] = ("positive", "uncertain", "negative")
KEPT = 1 << 16
DENYING_TITLE = re.compile(
    r"(?:\w+ )?(?:negatives?|absent|no|none|without|ruled out|excluded|not \w+|no evidence of|"
    r"none of the following)(?: findings?)?"
)
DOUBTING_TITLE = re.compile(
    r"(?:\w+ )?(?:possible|suspected|uncertain|equivocal|questionable|indeterminate|likely|probable|"
    r"differential|ddx|"
    r"considerations?|cannot exclude)(?: (?:findings?|diagnos[ei]s|considerations?))?"
)
DENIED_VALUE = re.compile(
    r"(?:none|no|not|absent|negative|neg|nil|false|without|denied|nothing|never|zero|0|n|unlikely|resolved|cleared|"
    r"excluded|ruled out|removed|normal|clear|unremarkable|within normal|absence|free|unlikely|null)\b"
)
STATED_VALUE = re.compile(rf"(?:and )?(?:{cues.SIZES}|present|yes|positive)\b")
NORMAL_VALUE = re.compile(r"\b(?:normal|clear|sharp|unremarkable|intact|expanded|within)\b")
UNKNOWN_VALUE = re.compile(
    r"(?:n a|not (?:applicable|assessed|evaluated|reported|mentioned|available)|"
    r"unable to)\b"
)


def _state(text: str, mention: re.Match[str], label: str, floor: int = 0) -> State | None:
    """What `text` says about one mention in it; None where it is history, or no finding at all."""
    clause = scope.before(text, mention, floor)
    lead = clause[: len(clause) - len(mention.group())]
    past = label == "Pneumonia" and cues.PAST_INFECTION.search(lead)
    if past or (label != phrases.SUPPORT and cues.NOT_A_MENTION.search(lead)):
        return None
    rest, remark = scope.after(text, mention)
    doubted = cues.OPEN_QUESTION.search(clause) and not cues.SIGNS_DENIED.search(clause)
    if doubted or cues.DOUBTED_AFTER.search(rest) or cues.DOUBTED_NEXT.fullmatch(remark):
        return "uncertain"
    said = _denied(lead, mention.group(), rest, remark)
    explained = cues.EXPLAINED.match(text, mention.end()) if label in phrases.SHADOWS and not said else None
    if said or explained:
        unsure = explained and cues.DOUBTED_BEFORE.search(explained["between"])
        return "uncertain" if unsure else "negative"
    return "uncertain" if _doubted(clause, mention, text) else "positive"


def _denied(lead: str, name: str, rest: str, remark: str) -> bool:
    lead = cues.DENIED_UP_TO.split(lead)[-1]
    begun = cues.DENIED_BEFORE.search(cues.NO_CHANGE.sub(" ", lead) + name)
    turned = begun and (cues.CHANGED.search(rest) or cues.NOT_THAT.search(lead))
    rest = cues.NO_CHANGE.sub(" ", rest)
    ended = cues.DENIED_AFTER.search(rest) or cues.DENIED_NEXT.fullmatch(remark)
    return not turned if begun else bool(ended)


def _doubted(clause: str, mention: re.Match[str], text: str) -> bool:
    asserted = scope.doubt_before(cues.NO_CHANGE.sub(" ", clause), text[mention.end() : mention.end() + 60])
    return bool(cues.DOUBTED_BEFORE.search(asserted) or cues.BORDERLINE.search(mention.group()))


def _value(said: str, title: str, label: str) -> State | None:
    """What the text after `title:` says about a finding that the title names; None: nothing, or by its own mention."""
    if not said or UNKNOWN_VALUE.match(said) or _named(said, title):
        return None
    first, *others = said.split(",")
    if cues.OPEN_QUESTION.search(said) or cues.DOUBTED_AFTER.search(" is " + first):
        return "uncertain"
    kept = cues.NO_CHANGE.sub(" ", " " + first).strip()
    if DENIED_VALUE.match(kept):
        return "positive" if any(STATED_VALUE.match(other.strip()) for other in others) else "negative"
    if cues.DOUBTED_BEFORE.search(first) and not phrases.ANY.search(first):
        return "uncertain"
    if NORMAL_VALUE.search(said) and not STATED_VALUE.match(first):
        return "negative"
    return "positive"


def _named(said: str, title: str) -> bool:
    """Whether the text itself names one of the findings of its title."""
    return any(pattern.search(title) and pattern.search(said) for pattern in phrases.FINDINGS.values())


def _about(statement: Statement, mention: re.Match[str], text: str, label: str) -> State | None:
    """The state of a mention in the title, in the text, or over both (`heart: enlarged`)."""
    colon = len(statement.title) + 1 if statement.title else 0
    if colon and mention.end() < colon:
        own = _state(statement.title, mention, label)
        return own if own == "negative" else _value(statement.text, statement.title, label)
    state = _state(text, mention, label, colon if mention.start() >= colon else 0)
    if state == "positive" and colon:
        if DENYING_TITLE.fullmatch(statement.title):
            return "negative"
        if DOUBTING_TITLE.fullmatch(statement.title):
            return "uncertain"
    return state


def _read(statement: Statement) -> Iterator[tuple[str, State]]:
    """Every label that the statement names with its state; "" for something else that is abnormal."""
    text = f"{statement.title} {statement.text}".strip()
    if cues.REQUEST.match(text):
        return
    text = cues.HISTORY.sub(" ", text) if not statement.title else text
    for mention in phrases.ELSEWHERE.finditer(text):
        if _state(text, mention, "") != "negative":
            yield "", "positive"
    text = phrases.OTHER.sub(lambda found: " " * len(found.group()), text)
    for label, pattern in phrases.FINDINGS.items():
        for mention in pattern.finditer(text):
            if state := _about(statement, mention, text, label):
                yield label, state


@lru_cache(KEPT)
def _reading(text: str) -> tuple[dict[str, State], bool]:
    kept, refuses = without_refusal(text)
    said: dict[str, State] = {}
    abnormal = False
    for statement in statements(kept):
        for label, state in _read(statement):
            abnormal = abnormal or not label
            if label:
                said[label] = min(said.get(label, "negative"), state, key=ORDER.index)
    if refuses and not said and not abnormal and not STATED.search(kept):
        return {}, True
    abnormal = abnormal or any(said[label] != "negative" for label in said if label != phrases.SUPPORT)
    spoken = any(letter.isalpha() for letter in kept)
    return (said if abnormal or not spoken else {phrases.NO_FINDING: "positive", **said}), False


def findings(text: str) -> dict[str, State]:
    """Return the state of every mentioned label; labels that are not mentioned are left out."""
    return dict(_reading(text)[0])


def refused(text: str) -> bool:
    """Return whether the text refuses to read the image and states nothing about it."""
    return _reading(text)[1]


def positives(text: str, uncertain: bool = True) -> frozenset[str]:
    """Return the labels that count as present; `uncertain` ones too by default (as RadEval's F1CheXbert)."""
    return frozenset(
        label for label, state in findings(text).items() if state == "positive" or (uncertain and state == "uncertain")
    )


def stated_findings(text: str) -> frozenset[str]:
    """Return the labels of findings that a text says are there, also in doubt: neither "No Finding" nor devices."""
    return positives(text) - {phrases.NO_FINDING, phrases.SUPPORT}
