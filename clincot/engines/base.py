"""The contract of an engine: generation and choice requests -> completions and choice log-probabilities, batched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from PIL.Image import Image

from clincot.records import Message


@dataclass(frozen=True)
class GenerateRequest:
    """One text to write; `images` fill the image blocks of `messages` in order.

    The same request gives the same text whatever it is batched with (up to floating-point ties): sampling draws from a
    generator seeded with `seed`. `temperature` 0 is greedy.
    """

    messages: tuple[Message, ...]
    images: tuple[Image, ...] = field(repr=False)
    seed: int
    temperature: float
    top_p: float
    max_new_tokens: int


@dataclass(frozen=True)
class Completion:
    """A written text: `logp` sums the raw (untempered) log-probabilities of its `tokens` tokens, end token included.

    `retokenises`: tokenising `text` gives the tokens that were written; only then is `logp` that of the text.
    """

    text: str
    logp: float
    tokens: int
    finish: Literal["stop", "length"]
    retokenises: bool = True


@dataclass(frozen=True)
class ChoiceRequest:
    """One next token to weigh: which of `choices` (single tokens, with and without a leading space) would come next?"""

    messages: tuple[Message, ...]
    images: tuple[Image, ...] = field(repr=False)
    choices: tuple[str, ...]


@dataclass(frozen=True)
class ChoiceScores:
    """Log-probabilities of the choices (nats, same order) and the probability mass they hold together."""

    logps: tuple[float, ...]
    mass: float


class Engine(Protocol):
    """A model that answers many requests at once; results stand in the order of the requests."""

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]: ...

    def score_choices(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceScores]: ...

    def forget(self) -> None:
        """Drop what was kept for reuse (trunks, image features), so that a unit does not depend on the one before."""
        ...
