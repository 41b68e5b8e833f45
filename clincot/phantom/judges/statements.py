"""A question and what is known -> statements a policy might make, right to absurd, each with its digit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.drawing.draw import Phantom
from clincot.phantom.drawing.findings import FINDINGS, Finding
from clincot.phantom.judges import rubric
from clincot.phantom.judges.rubric import Knowledge, Place
from clincot.phantom.texts.questions import ARTICLE, NOTHING, Question, finding_sentence, report
from clincot.records import Box

OFF_TYPE = 1
NO_MASK, NO_BOX = np.zeros((1, 1), bool), Box(0, 0, 1, 1)


class Judged(NamedTuple):
    """A statement and its digit."""

    text: str
    digit: int


def step_statements(question: Question, known: Knowledge, phantom: Phantom, rng: np.random.Generator) -> list[Judged]:
    """Step findings: the true ones, none, the one asked for, wrong ones, mixtures, and placed ones."""
    truth, asked = frozenset(phantom.names), question.finding
    others = [name for name in FINDINGS if name not in truth]
    sets = [truth, frozenset(), frozenset([str(rng.choice(others))]), *(frozenset([name]) for name in phantom.names)]
    sets.append(frozenset([str(rng.choice(FINDINGS)), str(rng.choice(FINDINGS))]))
    if asked:
        sets += [frozenset([asked]), frozenset([asked, str(rng.choice(FINDINGS))])]
    judged = [Judged(finding_sentence(names), rubric.step_digit(names, asked, known)) for names in dict.fromkeys(sets)]
    return judged + [_placed(name, question, known, phantom, rng) for name in _placeable(phantom, rng)]


def _placeable(phantom: Phantom, rng: np.random.Generator) -> list[str]:
    there = [finding.name for finding in phantom.findings if finding.side]
    return [*there, *there, str(rng.choice(FINDINGS[:-1]))]


def _placed(name: str, question: Question, known: Knowledge, phantom: Phantom, rng: np.random.Generator) -> Judged:
    place = _near(_places(phantom).get(name), rng)
    return Judged(_located(name, place), rubric.placed_digit(name, place, question.finding, known))


def answer_statements(question: Question, known: Knowledge, phantom: Phantom, rng: np.random.Generator) -> list[Judged]:
    """Answers to the question: right, wrong, half right, and of another question's type."""
    makers = {"presence": _yes_no, "normal": _yes_no, "side": _sides, "zone": _zones, "open": _open, "report": _reports}
    return makers[question.kind](question, phantom, rng)


def unreferenced(judged: Judged, question: Question, known: Knowledge) -> Judged:
    """The digit of an answer when only the findings so far are known: they decide yes and no, nothing else."""
    said = judged.text.lower()
    if judged.digit == OFF_TYPE:
        return judged
    if question.kind in ("presence", "normal") and said.startswith(("yes", "no")):
        asked = question.finding if question.kind == "presence" else ""
        yes = said.startswith("yes") == (question.kind == "presence")
        return Judged(judged.text, rubric.presence_digit(yes, asked, known))
    return Judged(judged.text, rubric.UNSURE)


def _yes_no(question: Question, phantom: Phantom, rng: np.random.Generator) -> list[Judged]:
    wrong = "no" if question.answer == "yes" else "yes"
    judged = [Judged(question.answer, 9), Judged(wrong, 0)]
    if question.kind == "presence":
        subject = f"{ARTICLE[question.finding]}{question.finding}"
        full = {"yes": f"yes, there is {subject}.", "no": f"no, there is no {question.finding}."}
        judged += [Judged(full[question.answer], 9), Judged(full[wrong], 0)]
    return [*judged, Judged(str(rng.choice([*SIDES, *ZONES, "heart"])), OFF_TYPE)]


def _sides(question: Question, phantom: Phantom, rng: np.random.Generator) -> list[Judged]:
    wrong = next(side for side in SIDES if side != question.answer)
    return [
        *(Judged(text.format(question.answer), 9) for text in ("{}", "the {} side")),
        *(Judged(text.format(wrong), 0) for text in ("{}", "the {} side")),
        Judged(str(rng.choice(["yes", "no", NOTHING])), OFF_TYPE),
    ]


def _zones(question: Question, phantom: Phantom, rng: np.random.Generator) -> list[Judged]:
    truth = _places(phantom)[question.finding]
    places = [truth, *((side, zone) for side in SIDES for zone in ZONES)]
    judged = [Judged(f"{side} {zone} zone", rubric.zone_digit((side, zone), truth)) for side, zone in places]
    judged += [Judged(side, rubric.zone_digit((side, ""), truth)) for side in SIDES]
    return [*judged, Judged(str(rng.choice(["yes", "no", NOTHING])), OFF_TYPE)]


def _open(question: Question, phantom: Phantom, rng: np.random.Generator) -> list[Judged]:
    truth = phantom.names
    sets = [truth, (), *((name,) for name in FINDINGS)]
    sets.append(tuple(rng.choice(FINDINGS, size=2, replace=False)))
    judged = []
    for names in sets:
        text = " and ".join(name for name in FINDINGS if name in names) or NOTHING
        judged.append(Judged(text, rubric.open_digit(names, truth)))
    return [*dict.fromkeys(judged), Judged(str(rng.choice(["yes", "no", *SIDES])), OFF_TYPE)]


def _reports(question: Question, phantom: Phantom, rng: np.random.Generator) -> list[Judged]:
    truth = _places(phantom)
    versions: list[Mapping[str, Place]] = [truth, {}]
    for _ in range(3):
        changed = {name: _near(place, rng) if place[0] else place for name, place in truth.items()}
        if rng.random() < 0.7:
            changed.pop(str(rng.choice(FINDINGS)), None)
        if rng.random() < 0.5:
            name = str(rng.choice(FINDINGS))
            changed.setdefault(name, _near(None, rng) if name != "cardiomegaly" else ("", ""))
        versions.append(changed)
    return [Judged(_written(said), rubric.report_digit(said, truth)) for said in versions]


def _written(said: Mapping[str, Place]) -> str:
    return report(Finding(name, *said[name], NO_BOX, NO_MASK) for name in FINDINGS if name in said)


def nonsense(question: Question, rng: np.random.Generator) -> Judged:
    """A text that says nothing: cut off, or words in no order."""
    words = ["The", "local", "image", "shows", "a", "nodule", "and", "zone", "left", "no", "is", "heart", "There", "in"]
    if rng.random() < 0.4:
        return Judged(" ".join(["The", "local", "image", "shows", "and"][: int(rng.integers(0, 6))]), 0)
    return Judged(" ".join(rng.choice(words, size=int(rng.integers(2, 9)))), 0)


def sloppy(judged: Judged, rng: np.random.Generator) -> Judged:
    """The same statement in lower case, without its stop, hedged (same digit), or stuttering (three off)."""
    text, digit = judged
    how = int(rng.integers(4))
    if how == 0:
        return Judged(text.lower(), digit)
    if how == 1:
        return Judged(text.rstrip("."), digit)
    if how == 2:
        return Judged(f"I think {text[:1].lower()}{text[1:]}", digit)
    return Judged(" ".join([text, *text.rstrip(".").split()[-1:] * 3]), max(0, digit - 3))


def _places(phantom: Phantom) -> dict[str, Place]:
    return {finding.name: (finding.side, finding.zone) for finding in phantom.findings}


def _near(place: Place | None, rng: np.random.Generator) -> Place:
    """The true place half the time, else any."""
    if place is not None and place[0] and rng.random() < 0.5:
        return place
    return str(rng.choice(SIDES)), str(rng.choice(ZONES))


def _located(name: str, place: Place) -> str:
    return f"There is {ARTICLE[name]}{name} in the {place[0]} {place[1]} zone."
