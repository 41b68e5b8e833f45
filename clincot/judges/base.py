"""The contract of a judge: statements about a question -> scores in [0, 1], or a recorded failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class JudgeRequest:
    """A statement to rate; `reference` is the text the judge may see (None: the blind context).

    `report`: the statement is a whole report and is rated by the rubric of reports.
    """

    question: str
    reference: str | None
    findings: tuple[str, ...]
    statement: str
    report: bool = False


@dataclass(frozen=True)
class Rating:
    """A judge's reply: `value` in [0, 1], None when the reply cannot be read; `mass` the probability on digits."""

    value: float | None
    mass: float


class Judge(Protocol):
    """One judge; `name` is its repository, `key` its pinned version."""

    name: str
    key: str

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]: ...
