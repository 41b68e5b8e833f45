"""The contract of an engine: generation and choice requests -> completions and choice log-probabilities, batched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from clincot.errors import ModelError
from clincot.lm.requests import ChoiceRequest, ChoiceScores, Completion, Counters, GenerateRequest


@dataclass(frozen=True)
class Abilities:
    """What a loaded model was found to do: how many images a prompt may hold, and whether prefixes are shared.

    `reason` is why they are not. `window`: sharing ends at that many tokens, where attention slides (0: it never does).
    """

    images: int
    shared: bool
    reason: str = ""
    window: int = 0

    def __str__(self) -> str:
        images = f"{self.images} images a prompt" if self.images > 1 else "one image a prompt"
        if not self.shared:
            return f"{images}, every prompt is read whole ({self.reason})"
        limit = f" up to {self.window} tokens, where its attention slides" if self.window else ""
        return f"{images}, prompts share what they begin with{limit}"


class NoLogProbs(ModelError):
    """A server that gives no log-probabilities of next tokens; texts alone can be had of it."""


@dataclass(frozen=True)
class ServedAbilities:
    """What a server says of a model, and what it was found to do.

    `model` is its name, `root` the folder or repository behind it, `version` that of the server's software; "" where it
    does not say. `images` were tried in a prompt. `digits`: how next tokens are weighed, "" where none were.
    """

    model: str
    root: str
    version: str
    images: int
    digits: str


@runtime_checkable
class Probed(Protocol):
    """An engine whose model was tried at load."""

    @property
    def abilities(self) -> Abilities | ServedAbilities: ...


class Engine(Protocol):
    """A model that answers many requests at once; results come in the order of the requests."""

    @property
    def counters(self) -> Counters:
        """Return what was done so far; it grows in place."""
        ...

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]: ...

    def score_choices(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceScores]: ...

    def forget(self) -> None:
        """Drop what was kept for reuse (trunks, image features), so that a shard does not depend on the one before."""
        ...


@runtime_checkable
class Splitting(Protocol):
    """An engine that knows the tokens of a text, as training will read it."""

    def token_ends(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return, for each text, how many of its characters lie before the end of each token, the end token left out.

        Empty for a text that training reads otherwise, such as one with a literal mark of a turn.
        """
        ...


@runtime_checkable
class Keeping(Protocol):
    """An engine that goes on with a shard after others: what it kept for reuse waits in CPU memory meanwhile."""

    def set_aside(self) -> Any:
        """Return what was kept for the shard at work, with nothing of it on the device, and keep nothing."""
        ...

    def take_back(self, kept: Any) -> None:
        """Keep what was set aside again, bit for bit: what is kept decides last digits."""
        ...

    def forget(self) -> None: ...


@runtime_checkable
class Fitting(Protocol):
    """An engine, or its folder's processor (room.py), that can say by the tokenizer alone what it has no room for."""

    def too_long(self, requests: Sequence[GenerateRequest]) -> list[bool]:
        """Return, for each request, whether prompt and new tokens exceed the context; `images` may be left out."""
        ...
