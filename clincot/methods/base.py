"""The contract of a method: one example and the tools it awaits -> its preference pairs."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from clincot.judges.base import JudgeRequest, Rating
from clincot.lm.requests import Completion
from clincot.recipe import Recipe
from clincot.records import Candidate, Example, Message, PreferencePair, Region


class Tools(Protocol):
    """What a method may ask for; every call takes many requests and is batched with those of the other examples."""

    @property
    def recipe(self) -> Recipe: ...

    @property
    def judge_names(self) -> tuple[str, ...]: ...

    def seed(self, *parts: object) -> int:
        """Return a number made of the recipe's seed, the round and `parts`."""
        ...

    def propose(self, example: Example) -> Awaitable[tuple[Region, ...]]:
        """Return the regions of the example's image, one per hypothesis that has one (Eq. 1)."""
        ...

    def generate(self, example: Example, asks: Sequence[Ask]) -> Awaitable[list[Completion]]:
        """Return what the policy of this round writes, one text per ask (Eq. 2)."""
        ...

    def judge(self, requests: Sequence[JudgeRequest]) -> Awaitable[list[tuple[Rating, ...]]]:
        """Return, per request, one rating per name of `judge_names`."""
        ...

    def facts(self, example: Example, region: Region | None) -> str | None:
        """Return what the judges are told of the region of a text; None unless the recipe's context is `facts`."""
        ...

    def keep(self, candidates: Sequence[Candidate]) -> None:
        """Record candidates in the round's second table, paired or not."""
        ...

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what yields no pair, by reason."""
        ...


@dataclass(frozen=True)
class Ask:
    """One text wanted from the policy: what it reads, which region it sees beside the image, and its own seed.

    `max_new_tokens` 0 is the recipe's `build.max_new_tokens`.
    """

    messages: Sequence[Message]
    region: Region | None
    seed: int
    max_new_tokens: int = 0


class Method(Protocol):
    """A coroutine function that reads like the paper it implements."""

    async def __call__(self, example: Example, tools: Tools) -> list[PreferencePair]: ...
