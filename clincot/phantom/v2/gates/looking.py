"""A policy and held-out images -> its answers by kind with no region, with random ones and with the right ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from clincot.phantom.texts.questions import Question
from clincot.phantom.v2.draw import Radiograph
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.policy.chains import Asked, Policy, run
from clincot.phantom.v2.policy.looks import anywhere, at_lesions
from clincot.phantom.v2.texts.questions import MULTI_REGION, questions
from clincot.records import Box

STEPS = 3  # look, look again, answer
CLOSE = 0.2  # overlap (intersection over union) from which a box is right
LOOKS = ("none", "random", "oracle")


def looking(policy: Policy, bank: Sequence[Radiograph], seed: int = 0) -> dict[str, dict[str, float]]:
    """Return look ("none", "random", "oracle") -> kind -> right answers in percent, on the questions of `bank`."""
    asked = [(drawn, question) for drawn in bank for question in questions(drawn.layout)]
    table = {}
    for look in LOOKS:
        chains = [Asked(drawn, question, boxes(drawn, look, seed)) for drawn, question in asked]
        table[look] = by_kind([a.question for a in chains], [told.answer for told in run(policy, chains)])
    return table


def looking_gates(table: dict[str, dict[str, float]], count: int) -> list[Gate]:
    """Return the gates on questions that one region does not answer; `count` is how many questions were asked."""
    none, random, oracle = (float(np.mean([table[look][kind] for kind in MULTI_REGION])) for look in LOOKS)
    return [
        Gate("multi-region answers, oracle minus random region (points)", oracle - random, 15.0, count=count),
        Gate("multi-region answers, random minus no region (points)", random - none, most=2.0, count=count),
    ]


def boxes(drawn: Radiograph, look: str, seed: int) -> tuple[Box, ...]:
    """Return the regions of a chain: none, random ones, or the nodules, the largest first."""
    rng = np.random.default_rng([seed, drawn.layout.seed, drawn.layout.index, 41])
    if look == "none":
        return ()
    if look == "random":
        return tuple(anywhere(drawn.layout, rng) for _ in range(STEPS))
    return tuple(at_lesions(drawn.layout, STEPS, rng))


def by_kind(asked: Sequence[Question], answers: Sequence[str]) -> dict[str, float]:
    """Return the right answers of each kind in percent, every answer of a kind weighing the same."""
    groups: defaultdict[str, defaultdict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for question, text in zip(asked, answers, strict=True):
        answer = question.answer if question.kind not in ("box", "report") else ""
        groups[question.kind][answer].append(right(question, text))
    return {
        kind: 100 * float(np.mean([np.mean(found) for found in answers.values()])) for kind, answers in groups.items()
    }


def right(question: Question, text: str) -> bool:
    """Whether `text` answers the question: a box by its overlap, the others word for word."""
    if question.kind != "box":
        return text.strip() == question.answer
    return overlap(_edges(text), _edges(question.answer)) >= CLOSE


def _edges(text: str) -> list[int]:
    parts = text.split()
    return [int(part) for part in parts] if len(parts) == 4 and all(part.isdigit() for part in parts) else []


def overlap(a: Sequence[int], b: Sequence[int]) -> float:
    """Return intersection over union of two boxes (left, upper, right, lower); 0 where one is missing."""
    if not a or not b:
        return 0.0
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    area = sum(max(e[2] - e[0], 0) * max(e[3] - e[1], 0) for e in (a, b)) - common
    return common / area if area else 0.0
