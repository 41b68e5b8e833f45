"""A row and its columns -> the questions that it asks, with answers: one, or one of each turn of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clincot.benchmarks.own.columns import Columns, text_cell
from clincot.benchmarks.own.declared import Declared
from clincot.errors import DataError
from clincot.records import AnswerType

ASKS, ANSWERS = ("human", "user"), ("gpt", "assistant")
MARKERS = ("<image>", "<video>")
YES_NO = {
    "yes",
    "no",
    "ja",
    "nein",
    "oui",
    "non",
    "sí",
    "si",
    "não",
    "sim",
    "是",
    "否",
    "有",
    "没有",
    "不是",
    "はい",
    "いいえ",
}


class Unusable(Exception):
    """A row that cannot be used, and why: it is counted and named."""


@dataclass(frozen=True)
class Asked:
    """A question with its answer; `turn` is its number in a conversation, 0 outside of one."""

    question: str
    answer: str
    answer_type: AnswerType
    turn: int = 0


def asked_of(values: Mapping[str, Any], columns: Columns, declared: Declared) -> list[Asked]:
    """Return the questions of a row. Raises Unusable, DataError for an answer type that no protocol knows."""
    if columns.turns:
        pairs = _turns(values.get(columns.turns))
    else:
        for name in (columns.question, columns.answer):
            if isinstance(values.get(name), (list, dict)):
                raise Unusable(f"its column {name} holds a {type(values[name]).__name__}, not a text")
        pairs = [(text_cell(values, columns.question) or declared.ask, text_cell(values, columns.answer))]
    for question, answer in pairs:
        if not question or not answer:
            raise Unusable(f"its {'answer' if question else 'question'} is empty")
    given = text_cell(values, columns.answer_type)
    several = len(pairs) > 1
    return [Asked(q, a, _type(a, given, declared), i + 1 if several else 0) for i, (q, a) in enumerate(pairs)]


def _turns(turns: Any) -> list[tuple[str, str]]:
    """Return the questions and answers of a conversation. A later question is asked without those before it."""
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise Unusable("its conversation is no list of turns")
    said = [(str(t.get("from", t.get("role", ""))).lower(), t.get("value", t.get("content"))) for t in turns]
    said = [(who, _text(text)) for who, text in said if who != "system"]
    pairs = list(zip(said[::2], said[1::2], strict=False))
    if len(said) % 2 or not pairs or any(q[0] not in ASKS or a[0] not in ANSWERS for q, a in pairs):
        raise Unusable("its turns are not a question of the human and an answer of the model in turn")
    return [(question[1], answer[1]) for question, answer in pairs]


def _text(content: Any) -> str:
    if isinstance(content, list):  # as chat templates take it: parts of text and image
        content = " ".join(str(p.get("text") or "") for p in content if isinstance(p, dict))
    text = content if isinstance(content, str) else ""
    for marker in MARKERS:
        text = text.replace(marker, " ")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def _type(answer: str, given: str, declared: Declared) -> AnswerType:
    if given:
        for known in ("open", "closed", "report"):
            if given.lower() == known:
                return known  # type: ignore[return-value]
        raise DataError(f"answer type {given!r}: is not known. Write open, closed or report, or leave the column out.")
    if declared.answers == "yes-no":
        return "closed" if answer.lower().strip(" .。") in YES_NO else "open"
    return declared.answers
