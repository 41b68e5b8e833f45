"""Phantoms -> what a judge reads (question, reference, findings so far, statement) with the digit it should give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from clincot.chain.prompts import judge_messages
from clincot.phantom.drawing.draw import RANGES, Phantom, draw
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.judges.rubric import Knowledge, blind_digit
from clincot.phantom.judges.statements import Judged, answer_statements, nonsense, sloppy, step_statements, unreferenced
from clincot.phantom.texts.questions import Question, finding_sentence, presence, questions, report
from clincot.records import Message

# How a reference may look: the report, answer and report together, the answer alone (VQA-RAD), nothing (blind).
FORMS = ("report", "both", "answer", "blind")
FORM_SHARES = (0.5, 0.2, 0.18, 0.12)
BOTH = ("{answer}. {report}", "{answer}\n{report}", "Answer: {answer}. Report: {report}", "{report} {answer}")
FINDINGS_SO_FAR = (0.45, 0.38, 0.17)  # shares of none, one and two
PER_CONTEXT = 3
PLACED = ("side", "zone")  # asked about twice: once gave .92 of side pairs in order
# A bare "yes" needs the finding of the question, its line in the report, and both together: without more of these a
# judge with .98 of all pairs in order had .80 of them.
MORE_PRESENCE = 3
RIGHT, WRONG = 7, 2  # at least, at most


@dataclass(frozen=True)
class JudgeRow:
    """One thing to rate; rows of one `context` differ in their statement only."""

    question: str
    reference: str | None
    findings: tuple[str, ...]
    statement: str
    digit: int
    kind: str
    form: str
    context: str

    @property
    def messages(self) -> list[Message]:
        """What the judge reads; a whole report is rated by the rubric of reports."""
        return judge_messages(
            self.question, self.reference, self.findings, self.statement, report=self.kind == "report"
        )


def judge_rows(
    seed: int, split: str, first: int, count: int, data_seed: int, per_context: int = PER_CONTEXT
) -> list[JudgeRow]:
    """Rows of `count` phantoms from `first` on in a split of the world `seed`; `data_seed` varies all choices."""
    rows: list[JudgeRow] = []
    for index in range(first, first + count):
        phantom = draw(seed, RANGES[split] + index)
        rows += rows_of(phantom, np.random.default_rng([seed, RANGES[split] + index, data_seed]), per_context)
    return rows


def rows_of(phantom: Phantom, rng: np.random.Generator, per_context: int = PER_CONTEXT) -> Iterator[JudgeRow]:
    """Rows of one phantom: each question's step findings and answers, and the kinds that are hard to learn again."""
    for place, (question, what, form) in enumerate(_contexts(phantom, rng)):
        said = [_some_findings(phantom, rng) for _ in range(rng.choice(3, p=FINDINGS_SO_FAR))]
        chain = tuple(finding_sentence(names) for names in said)
        known = _knowledge(form, question, phantom, said)
        make = step_statements if what == "step" else answer_statements
        pool = make(question, known, phantom, rng)
        if form == "blind" and what == "answer":
            pool = [unreferenced(judged, question, known) for judged in pool]
        pool.append(nonsense(question, rng))
        reference = _reference(form, question, phantom, rng)
        kind, context = "step" if what == "step" else question.kind, f"{phantom.index}/{place}"
        for judged in _chosen(pool, per_context, rng):
            text, digit = sloppy(judged, rng) if rng.random() < 0.15 else judged
            digit = blind_digit(digit) if form == "blind" else digit
            yield JudgeRow(question.text, reference, chain, text, digit, kind, form, context)


def _contexts(phantom: Phantom, rng: np.random.Generator) -> list[tuple[Question, str, str]]:
    """(question, "step" or "answer", form of the reference)."""
    asked = questions(phantom, rng)
    turns = [(question, what) for question in asked for what in ("step", "answer")]
    turns += [(question, "answer") for question in asked if question.kind in PLACED]
    found = [(question, what, str(rng.choice(FORMS, p=FORM_SHARES))) for question, what in turns]
    absent = [name for name in FINDINGS if name not in phantom.names]
    for _ in range(MORE_PRESENCE):
        names = phantom.names if phantom.names and rng.random() < 0.65 else absent
        found.append((presence(str(rng.choice(names)), phantom, rng), "answer", "report"))
    return found


def with_noise(rows: Iterable[JudgeRow], rng: np.random.Generator, *, shift: float, flip: float) -> list[JudgeRow]:
    """Move a share `shift` of the digits by one and turn a share `flip` into their opposite (9 - digit)."""
    noisy = []
    for row in rows:
        digit = 9 - row.digit if rng.random() < flip else row.digit
        if rng.random() < shift:
            digit += int(rng.choice((-1, 1)))
        noisy.append(replace(row, digit=min(9, max(0, digit))))
    return noisy


def right_wrong_pairs(rows: Iterable[JudgeRow]) -> list[tuple[int, int]]:
    """Positions (right, wrong) of rows of one context: digits at least 7, at most 2; blind contexts have none."""
    groups: dict[str, list[tuple[int, JudgeRow]]] = {}
    for place, row in enumerate(rows):
        if row.form != "blind":
            groups.setdefault(row.context, []).append((place, row))
    return [
        (i, j) for group in groups.values() for i, a in group for j, b in group if a.digit >= RIGHT and b.digit <= WRONG
    ]


def _chosen(pool: list[Judged], count: int, rng: np.random.Generator) -> list[Judged]:
    """One right, one wrong where there are any, the rest at random: digits near balance without weights."""
    order = [pool[i] for i in rng.permutation(len(pool))]
    first = next((j for j in order if j.digit >= RIGHT), None)
    second = next((j for j in order if j.digit <= WRONG), None)
    kept = [j for j in (first, second) if j is not None]
    return [*kept, *(j for j in order if j not in kept)][:count]


def _some_findings(phantom: Phantom, rng: np.random.Generator) -> frozenset[str]:
    """What an earlier step may have said: mostly true, sometimes of a finding that is not there."""
    names = [name for name in phantom.names if rng.random() < 0.6]
    if rng.random() < 0.25:
        names = [str(rng.choice(FINDINGS))]
    return frozenset(names)


def _reference(form: str, question: Question, phantom: Phantom, rng: np.random.Generator) -> str | None:
    if form == "blind":
        return None
    text = report(phantom.findings)
    if form == "report" or (form == "both" and question.kind == "report"):
        return text
    return question.answer if form == "answer" else str(rng.choice(BOTH)).format(answer=question.answer, report=text)


def _knowledge(form: str, question: Question, phantom: Phantom, said: list[frozenset[str]]) -> Knowledge:
    """What the text before the judge contains; the findings so far count only where there is no reference."""
    if form == "blind":
        there = frozenset().union(*said)
        return Knowledge(dict.fromkeys(there, ("", "")), frozenset(FINDINGS) - there)
    places = {finding.name: (finding.side, finding.zone) for finding in phantom.findings}
    if form != "answer" or question.kind in ("open", "report"):
        located = form != "answer" or question.kind == "report"
        return Knowledge(places if located else dict.fromkeys(places, ("", "")))
    if question.kind == "normal":
        return Knowledge({}, frozenset() if question.answer == "yes" else frozenset(FINDINGS))
    rest = frozenset(FINDINGS) - {question.finding}
    if question.kind == "presence":
        return Knowledge({} if question.answer == "no" else {question.finding: ("", "")}, rest)
    place = places[question.finding]
    return Knowledge({question.finding: place if question.kind == "zone" else (place[0], "")}, rest)
