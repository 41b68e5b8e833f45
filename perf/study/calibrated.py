"""A base policy and labelled images -> the same policy with the best constants added to what it says, untrained.

What training gains beyond it is not a shifted threshold. Findings: an offset on naming a nodule, by the size that it
would name and by the size of the region. Answers: an offset of every answer of a kind. All are fitted on the training
images of the seed, with the truth of every region and all gold answers, which is more than any trained row is given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from clincot import engines
from clincot.chain.prompts import ANSWER_WITH_REGION, SHOW_FINDING, SHOW_FINDING_OF_REPORT
from clincot.lm.requests import ChoiceRequest, Completion, GenerateRequest
from clincot.phantom.v2.critic.rows import CHOICES
from clincot.phantom.v2.gates.statements import GRID, NONE, PREFIX, REGION_SIZES, SOME
from clincot.phantom.v2.texts.statements import read
from clincot.phantom.v2.texts.wording import ASKED

KIND_OF = {text: kind for kind, texts in ASKED.items() for text in texts}
STEPS = (-2.0, -1.0, -0.5, -0.2, 0.2, 0.5, 1.0, 2.0)
SWEEPS = 4
Group = tuple[int, int]  # the size that is named (-1: it cannot be read), and the class of the region's size


@dataclass
class Calibrated:
    """An engine with offsets; with none fitted it writes what its engine prefers."""

    engine: engines.Engine
    cuts: dict[Group, float] = field(default_factory=dict)
    offsets: dict[str, np.ndarray] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        """Write findings and answers by the offsets, everything else as the engine does."""
        found: dict[int, Completion] = {}
        findings = [place for place, r in enumerate(requests) if _is_finding(r)]
        answers = [place for place, r in enumerate(requests) if _kind(r) in CHOICES and not _is_finding(r)]
        rest = sorted(set(range(len(requests))) - set(findings) - set(answers))
        for places, write in ((findings, self._findings), (answers, self._answers), (rest, self.engine.generate)):
            if places:
                found |= zip(places, write([requests[place] for place in places]), strict=True)
        return [found[place] for place in range(len(requests))]

    def odds(self, requests: Sequence[GenerateRequest]) -> tuple[np.ndarray, list[str], list[Group]]:
        """Return the log-odds of naming a nodule, the best text that names one, and the class of its offset."""
        asked = [ChoiceRequest(r.messages, r.images, (NONE, *SOME), PREFIX) for r in requests]
        logs = np.array([scores.logps for scores in self.engine.score_choices(asked)])
        most = [SOME[int(place)] for place in logs[:, 1:].argmax(1)]
        named = self.engine.generate(
            [replace(r, prefill=PREFIX + word) for r, word in zip(requests, most, strict=True)]
        )
        texts = [PREFIX + word + made.text for word, made in zip(most, named, strict=True)]
        groups = [(_size(text), _class(r)) for text, r in zip(texts, requests, strict=True)]
        return np.logaddexp.reduce(logs[:, 1:], axis=1) - logs[:, 0], texts, groups

    def answer_logs(self, requests: Sequence[GenerateRequest]) -> list[np.ndarray]:
        """Return the log-probabilities of the answers of each question's kind."""
        asked = [ChoiceRequest(r.messages, r.images, CHOICES[_kind(r)]) for r in requests]
        return [np.array(scores.logps) for scores in self.engine.score_choices(asked)]

    def _findings(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        odds, texts, groups = self.odds(requests)
        none = f"{PREFIX}{NONE} nodule."
        said = [text if o > self.cuts.get(g, 0.0) else none for o, text, g in zip(odds, texts, groups, strict=True)]
        return [Completion(text, 0.0, len(text.split()), "stop") for text in said]

    def _answers(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        said = []
        for request, logs in zip(requests, self.answer_logs(requests), strict=True):
            kind = _kind(request)
            said.append(CHOICES[kind][int((logs + self.offsets.get(kind, 0.0)).argmax())])
        return [Completion(text, 0.0, 1, "stop") for text in said]


def fitted_cuts(odds: np.ndarray, groups: Sequence[Group], some: np.ndarray, none: np.ndarray) -> dict[Group, float]:
    """Return the cut of each class with the most truth: `some` is that of naming a nodule, `none` of naming none."""
    cuts = {}
    for group in sorted(set(groups)):
        own = np.array([one == group for one in groups])
        cuts[group] = float(max(GRID, key=lambda cut: np.where(odds[own] > cut, some[own], none[own]).sum()))
    return cuts


def fitted_offsets(logs: Mapping[str, np.ndarray], gold: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the offset of every answer of a kind with the best balanced accuracy, by coordinate ascent.

    `logs`: (questions, answers) of each kind, `gold`: the places of the right answers.
    """
    found = {}
    for kind, values in logs.items():
        offsets = np.zeros(values.shape[1])
        best = balanced(values, gold[kind])
        for _ in range(SWEEPS):
            for place in range(len(offsets)):
                for step in STEPS:
                    tried = offsets.copy()
                    tried[place] += step
                    score = balanced(values + tried, gold[kind])
                    if score > best + 1e-9:
                        best, offsets = score, tried
        found[kind] = offsets
    return found


def balanced(values: np.ndarray, gold: np.ndarray) -> float:
    """Return the mean, over the answers that are gold, of how often they are given when they are right."""
    said = values.argmax(1)
    return float(np.mean([np.mean(said[gold == one] == one) for one in np.unique(gold)]))


def by_kind(requests: Sequence[GenerateRequest], logs: Sequence[np.ndarray], answers: Sequence[str]) -> tuple:
    """Return (log-probabilities, places of the gold answers) by kind of question."""
    rows: dict[str, list[np.ndarray]] = defaultdict(list)
    gold: dict[str, list[int]] = defaultdict(list)
    for request, own, answer in zip(requests, logs, answers, strict=True):
        kind = _kind(request)
        rows[kind].append(own)
        gold[kind].append(CHOICES[kind].index(answer))
    return {k: np.stack(v) for k, v in rows.items()}, {k: np.array(v) for k, v in gold.items()}


def _text(request: GenerateRequest) -> str:
    content = request.messages[-1]["content"]
    return content if isinstance(content, str) else next(b["text"] for b in content if b["type"] == "text")


def _is_finding(request: GenerateRequest) -> bool:
    return _text(request).splitlines()[-1] in (SHOW_FINDING, SHOW_FINDING_OF_REPORT)


def _kind(request: GenerateRequest) -> str:
    lines = _text(request).splitlines()
    return KIND_OF.get(lines[0], "") if lines[-1] == ANSWER_WITH_REGION else ""


def _size(text: str) -> int:
    said = read(text)
    return -1 if said is None else said.size


def _class(request: GenerateRequest) -> int:
    return int(np.searchsorted(REGION_SIZES, request.images[-1].width))
