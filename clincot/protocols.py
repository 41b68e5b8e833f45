"""A protocol's name -> what is asked and how answers are scored, frozen and versioned; results carry its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clincot import prompts
from clincot.errors import ClincotError, did_you_mean
from clincot.records import AnswerType

Golds = Literal["all", "yes/no", "other"]


@dataclass(frozen=True)
class Measure:
    """One column of results: which score, under which rule, counts for which answer type.

    `scores` holds (answer type, score of `clincot.metrics.SCORES`, rule or ""); other types do not count. `golds`
    narrows closed questions by their gold. `by_kind` adds a row per kind of question.
    """

    name: str
    title: str
    scores: tuple[tuple[AnswerType, str, str], ...]
    golds: Golds = "all"
    headline: bool = False
    by_kind: bool = False


@dataclass(frozen=True)
class Protocol:
    """Prompts, decoding (greedy) and measures under one name; a change of any of them is a new version."""

    name: str
    version: int
    finding_instruction: str
    region_instruction: str
    direct_instruction: str
    measures: tuple[Measure, ...]

    @property
    def label(self) -> str:
        return f"{self.name}-v{self.version}"


CLOSED: AnswerType = "closed"
OPEN: AnswerType = "open"
REPORT: AnswerType = "report"
CLINCOT_V1 = Protocol(
    name="clincot",
    version=1,
    finding_instruction=prompts.SHOW_FINDING,
    region_instruction=prompts.ANSWER_WITH_REGION,
    direct_instruction=prompts.ANSWER_DIRECTLY,
    measures=(
        Measure("closed_accuracy", "closed accuracy", ((CLOSED, "closed_accuracy", "default"),), headline=True),
        Measure("closed_yesno_accuracy", "yes/no", ((CLOSED, "closed_accuracy", "default"),), golds="yes/no"),
        Measure("closed_other_accuracy", "other closed", ((CLOSED, "closed_accuracy", "default"),), golds="other"),
        Measure("closed_unparsed", "unparsed", ((CLOSED, "closed_unparsed", ""),), golds="yes/no"),
        Measure("open_recall", "open recall", ((OPEN, "open_recall", "clipped"),), headline=True),
        Measure("open_f1", "open F1", ((OPEN, "open_f1", "clipped"),)),
        Measure("open_exact", "open exact", ((OPEN, "open_exact", "default"),)),
        Measure(
            "accuracy",
            "accuracy (exact / closed)",
            ((OPEN, "open_exact", "default"), (CLOSED, "closed_accuracy", "default")),
            headline=True,
            by_kind=True,
        ),
        Measure("bleu1", "BLEU-1", ((REPORT, "bleu1", "wordpunct"),)),
        Measure("bleu2", "BLEU-2", ((REPORT, "bleu2", "wordpunct"),)),
        Measure("bleu3", "BLEU-3", ((REPORT, "bleu3", "wordpunct"),)),
        Measure("bleu4", "BLEU-4", ((REPORT, "bleu4", "wordpunct"),)),
        Measure("bleu_mean", "report BLEU", ((REPORT, "bleu_mean", "wordpunct"),), headline=True),
        Measure("rougeL", "ROUGE-L", ((REPORT, "rougeL", ""),)),
        Measure("meteor", "METEOR", ((REPORT, "meteor", "wordpunct"),)),
    ),
)
PROTOCOLS = {protocol.label: protocol for protocol in (CLINCOT_V1,)}


def load(label: str) -> Protocol:
    """Return the protocol called `label`; raises ClincotError naming the nearest known one."""
    if label not in PROTOCOLS:
        raise ClincotError(f"evaluate.protocol: {label!r} is not a protocol.{did_you_mean(label, PROTOCOLS)}")
    return PROTOCOLS[label]
