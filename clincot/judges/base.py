"""The contract of a judge: statements about a question -> scores in [0, 1], or a recorded failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from PIL.Image import Image

from clincot.chain.prompts import Rubric
from clincot.lm.requests import Counters


@dataclass(frozen=True)
class JudgeRequest:
    """A statement to rate; `reference` is the text the judge may see (None: the blind context).

    `report`: the statement is a whole report and is rated by the rubric of reports. `facts` is a line about the
    candidate's region, `earlier` the digit another reviewer gave (a debate). `images` hold the encoded images (the
    whole one first) for judges that can see; text-only ones pass over them. `rubric` is what the statement is rated by,
    in place of the package's own; a text must ask for one digit.
    """

    question: str
    reference: str | None
    findings: tuple[str, ...]
    statement: str
    report: bool = False
    facts: str | None = None
    earlier: int | None = None
    images: tuple[bytes, ...] = field(default=(), repr=False)
    rubric: str | Rubric | None = None


@dataclass(frozen=True)
class Rating:
    """A judge's reply: `value` in [0, 1], None when the reply cannot be read.

    `mass` is the probability on replies that can be read: on digits, on yes and no, or of the very reply that was
    written, which is then `reply`. `too_long`: the prompt has no room in the judge's context, so nothing was read.
    """

    value: float | None
    mass: float
    reply: str | None = None
    too_long: bool = False


@dataclass(frozen=True)
class CompareRequest:
    """Two texts about one image to compare; `images` fill the prompt in order, before the text.

    `reference` is the text that the critic may compare with (None: blind), `report`: both texts are whole reports.
    `swap`: the texts are read in both orders, and the mean counts.
    """

    question: str
    first: str
    second: str
    findings: tuple[str, ...] = ()
    reference: str | None = None
    report: bool = False
    images: tuple[Image, ...] = field(default=(), repr=False)
    swap: bool = True


@dataclass(frozen=True)
class Verdict:
    """A critic's reply: `value` in [0, 1], the probability that the first text is better; None when it gave neither.

    `mass` is the least probability that it put on the two replies. `too_long`: the prompt has no room in the context.
    """

    value: float | None
    mass: float
    too_long: bool = False


class Judge(Protocol):
    """One judge; `name` is its repository, `key` its pinned version."""

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]: ...


class ReadingJudge(Judge, Protocol):
    """A judge whose rating is decided by its `key`, its `scoring` and what it `reads`: it can be cached."""

    @property
    def scoring(self) -> str: ...

    @property
    def counters(self) -> Counters: ...

    def reads(self, request: JudgeRequest) -> str: ...


@runtime_checkable
class Fitting(Protocol):
    """A judge, or its folder's tokenizer (room.py), that can say by the tokenizer alone what it has no room for."""

    def too_long(self, requests: Sequence[JudgeRequest]) -> list[bool]:
        """Return, for each request, whether its prompt and the reply exceed the context."""
        ...
