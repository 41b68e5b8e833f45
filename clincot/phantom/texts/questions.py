"""A phantom -> questions with answers, its report, and the sentence that is true of a region."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from clincot.phantom.drawing.draw import Phantom
from clincot.phantom.drawing.findings import FINDINGS, Finding
from clincot.records import AnswerType

KINDS = ("presence", "open", "side", "zone", "normal", "report")
NOTHING = "no abnormality"
ARTICLE = {"nodule": "a ", "consolidation": "a ", "effusion": "an ", "pneumothorax": "a ", "cardiomegaly": ""}

PRESENCE = (
    "Is there {a}{finding}?",
    "Is {a}{finding} present in this image?",
    "Does the radiograph show {a}{finding}?",
    "Can {a}{finding} be seen?",
    "Is there any evidence of {a}{finding} in this chest x-ray?",
)
OPEN = (
    "What abnormality is seen?",
    "What abnormality does this chest x-ray show?",
    "Which finding is present in this image?",
    "What is abnormal in this radiograph?",
)
SIDE = (
    "On which side is the {finding}?",
    "Is the {finding} on the left or the right side?",
    "Which lung is affected by the {finding}, left or right?",
)
ZONE = (
    "Which zone shows the {finding}?",
    "In which lung zone is the {finding} located?",
    "Where is the {finding}?",
)
NORMAL = ("Is this radiograph normal?", "Is this image normal?", "Is this a normal chest x-ray?")
REPORT = (
    "Please generate a report based on the input medical image.",
    "Write a report of this chest x-ray.",
    "Describe the findings of this radiograph in a report.",
)


@dataclass(frozen=True)
class Question:
    """One question with its gold answer; `finding` is the finding it asks about, "" for the whole image."""

    text: str
    answer: str
    answer_type: AnswerType
    kind: str
    finding: str = ""

    @property
    def is_report(self) -> bool:
        """Whether the prompts of reports apply."""
        return self.answer_type == "report"


def questions(phantom: Phantom, rng: np.random.Generator | None = None) -> tuple[Question, ...]:
    """Return about five questions; without `rng` a generator of the phantom's own, so that equal phantoms agree.

    The chances make yes and no equally frequent for every finding (one image in five has a given finding) and for
    "normal" (one image in four is).
    """
    rng = rng or np.random.default_rng([phantom.seed, phantom.index, 1])
    asked = [presence(name, phantom, rng) for name in FINDINGS if rng.random() < (1 if name in phantom.names else 0.25)]
    if rng.random() < (1 if phantom.findings else 0.25):
        asked.append(open_question(phantom, rng))
    for finding in phantom.findings:
        if finding.side and rng.random() < 0.75:
            asked.append(side_question(finding, rng))
        if finding.side and rng.random() < 0.6:
            asked.append(zone_question(finding, rng))
    if rng.random() < (1 / 3 if phantom.findings else 1):
        asked.append(normal_question(phantom, rng))
    if rng.random() < 0.5 or not asked:
        asked.append(report_question(phantom, rng))
    return tuple(asked)


def presence(name: str, phantom: Phantom, rng: np.random.Generator) -> Question:
    """Ask whether `name` is there."""
    text = _pick(PRESENCE, rng).format(a=ARTICLE[name], finding=name)
    return Question(text, "yes" if name in phantom.names else "no", "closed", "presence", name)


def open_question(phantom: Phantom, rng: np.random.Generator) -> Question:
    """Ask what is there; two findings are named in the order of FINDINGS."""
    return Question(_pick(OPEN, rng), " and ".join(phantom.names) or NOTHING, "open", "open")


def side_question(finding: Finding, rng: np.random.Generator) -> Question:
    """Ask for the patient's side of `finding`."""
    return Question(_pick(SIDE, rng).format(finding=finding.name), finding.side, "closed", "side", finding.name)


def zone_question(finding: Finding, rng: np.random.Generator) -> Question:
    """Ask where `finding` is: side and zone, such as "left upper zone"."""
    return Question(_pick(ZONE, rng).format(finding=finding.name), where(finding), "open", "zone", finding.name)


def normal_question(phantom: Phantom, rng: np.random.Generator) -> Question:
    """Ask whether nothing is there."""
    return Question(_pick(NORMAL, rng), "no" if phantom.findings else "yes", "closed", "normal")


def report_question(phantom: Phantom, rng: np.random.Generator) -> Question:
    """Ask for the report."""
    return Question(_pick(REPORT, rng), report(phantom.findings), "report", "report")


def where(finding: Finding) -> str:
    """Return side and zone of a finding in a lung."""
    return f"{finding.side} {finding.zone} zone"


def report(findings: Iterable[Finding]) -> str:
    """Return the report: heart, lungs, effusion, pneumothorax, in this order."""
    known = {finding.name: finding for finding in findings}
    lines = ["The heart is enlarged." if "cardiomegaly" in known else "The heart is normal in size."]
    in_lungs = [known[name] for name in ("nodule", "consolidation") if name in known]
    lines += [_located(finding) for finding in in_lungs] or ["The lungs are clear."]
    for name in ("effusion", "pneumothorax"):
        lines.append(_located(known[name]) if name in known else f"There is no {name}.")
    return " ".join(lines)


def finding_sentence(names: Iterable[str]) -> str:
    """Return what is true of a region that shows the findings `names`: the gold text of a step."""
    present = set(names)
    listed = [f"{ARTICLE[name]}{name}" for name in FINDINGS if name in present] or [NOTHING]
    return f"The local image shows {' and '.join(listed)}."


def _located(finding: Finding) -> str:
    return f"There is {ARTICLE[finding.name]}{finding.name} in the {where(finding)}."


def _pick(texts: tuple[str, ...], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]
