"""The contract of a protocol: a name and a version -> what is asked, and the measures of the answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from clincot.chain import prompts
from clincot.records import AnswerType

Golds = Literal["all", "yes/no", "other"]
CLOSED: AnswerType = "closed"
OPEN: AnswerType = "open"
REPORT: AnswerType = "report"
OURS, ANY = "clincot", "any"
CHINESE = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True)
class Measure:
    """One column of results: which score, under which rule, counts for which answer type.

    `scores` holds (answer type, score of `clincot.metrics.SCORES`, rule or ""); other types do not count. Grounding
    (`clincot.stages.evaluate.grounding`) counts boxes of any type instead. `golds`
    narrows closed questions by their gold. `subgroups` adds a row per kind of question and per modality. `lower`: the
    smaller value is the better one. `marked` False: a count, which is not held against the controls.
    """

    name: str
    title: str
    scores: tuple[tuple[AnswerType, str, str], ...]
    golds: Golds = "all"
    headline: bool = False
    subgroups: bool = False
    lower: bool = False
    marked: bool = True


@dataclass(frozen=True)
class Asking:
    """A foreign prompt for the global image: the text after the question; 0 tokens: as many as the recipe gives."""

    closed: str = ""
    open: str = ""
    max_new_tokens: int = 0

    def text(self, question: str, answer_type: AnswerType) -> str:
        return question.strip() + {CLOSED: self.closed, OPEN: self.open, REPORT: ""}[answer_type]


@dataclass(frozen=True)
class Bilingual(Asking):
    """A prompt with a Chinese form, for questions that hold Chinese characters."""

    chinese: str = ""

    def text(self, question: str, answer_type: AnswerType) -> str:
        if CHINESE.search(question) and answer_type != REPORT:
            return question.strip() + self.chinese
        return super().text(question, answer_type)


@dataclass(frozen=True)
class Protocol:
    """Prompts, decoding (greedy) and measures under one name; a change of any of them is a new version.

    `asks` names the prompts that the protocol prescribes: `any` for none. `asking` are those prompts where they are not
    ours; without them, asking under this protocol asks ours. `thoughts` False: what a model writes while it thinks
    (`<think>...</think>`) is no part of its answer. `note` says what else differs from the original.
    """

    name: str
    version: int
    measures: tuple[Measure, ...]
    asks: str = ANY
    asking: Asking | None = None
    note: str = ""
    thoughts: bool = True
    finding_instruction: str = field(default=prompts.SHOW_FINDING)
    region_instruction: str = field(default=prompts.ANSWER_WITH_REGION)
    direct_instruction: str = field(default=prompts.ANSWER_DIRECTLY)

    @property
    def label(self) -> str:
        return f"{self.name}-v{self.version}"

    def as_asked(self, under: Protocol) -> bool:
        """Whether answers that were asked for under the protocol `under` are what this one prescribes."""
        return self.asks in (ANY, under.asks if under.asking else OURS)
