"""A phantom and a generator -> the phantom as a routine report describes it: subtle findings are often left out.

The fault is put into the policy's training texts on purpose, after the habit of captions and reports to leave small or
faint findings unmentioned: the tower sees them, the language model has learned not to say them. Judges who know the
reference can take the habit away again, which gives the loop something to learn (docs/decisions/0006).
"""

from __future__ import annotations

from dataclasses import replace
from math import inf, pi

import numpy as np

from clincot.phantom.drawing.draw import Phantom, visible
from clincot.phantom.drawing.findings import Finding
from clincot.phantom.texts.questions import NOTHING, Question, report
from clincot.records import Box

SUBTLE = {"nodule": inf, "consolidation": pi * 18.0**2}  # pixels of 256 x 256: all nodules, half the others
UNMENTIONED = 0.6  # above a half: greedy decoding then leaves them out, sampling names them two times in five


def subtle(finding: Finding) -> bool:
    """Return whether `finding` is a nodule, or a consolidation of the smaller half of its kind."""
    return int(finding.mask.sum()) < SUBTLE.get(finding.name, 0)


def shows_subtle(phantom: Phantom, box: Box) -> bool:
    """Return whether the region `box` shows a subtle finding."""
    shown = visible(phantom, box)
    return any(subtle(finding) and finding.name in shown for finding in phantom.findings)


def underreported(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    """Return `phantom` without the subtle findings that this report leaves out, each with chance UNMENTIONED."""
    kept = tuple(f for f in phantom.findings if not (rng.random() < UNMENTIONED and subtle(f)))
    return replace(phantom, findings=kept)


def answered_from(question: Question, mentioned: Phantom) -> Question:
    """Return `question` with the answer of someone who knows `mentioned` alone.

    Questions of side and zone take their finding for granted and keep their answers.
    """
    answers = {
        "presence": "yes" if question.finding in mentioned.names else "no",
        "open": " and ".join(mentioned.names) or NOTHING,
        "normal": "no" if mentioned.findings else "yes",
        "report": report(mentioned.findings),
    }
    return replace(question, answer=answers.get(question.kind, question.answer))
