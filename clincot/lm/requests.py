"""What is asked of a language model and what comes back: texts to write, next tokens to weigh, and the work it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from PIL.Image import Image

from clincot.records import Message

TOO_LONG = "too long for the policy"  # the failure of a request that has no room in the context


@dataclass(frozen=True)
class GenerateRequest:
    """One text to write; `images` fill the image blocks of `messages` in order.

    The same request gives the same text in every batch (up to floating-point ties): sampling draws from a
    generator seeded with `seed`. `temperature` 0 is greedy. `prefill` is how the reply begins: it ends the prompt, and
    the text is what follows it.
    """

    messages: tuple[Message, ...]
    images: tuple[Image, ...] = field(repr=False)
    seed: int
    temperature: float
    top_p: float
    max_new_tokens: int
    prefill: str = ""


@dataclass(frozen=True)
class Completion:
    """A written text: `logp` sums the raw (untempered) log-probabilities of its `tokens` tokens, end token included.

    `retokenises`: tokenising `text` gives the tokens that were written; only then is `logp` that of the text.
    `finish` is `failed` where a request got no text; `failure` says why, and `text` is empty.
    """

    text: str
    logp: float
    tokens: int
    finish: Literal["stop", "length", "failed"]
    retokenises: bool = True
    failure: str = ""


@dataclass(frozen=True)
class ChoiceRequest:
    """One next token to weigh: which of `choices` (single tokens, with and without a leading space) would come next?

    `prefill` is how the reply begins: it ends the prompt.
    """

    messages: tuple[Message, ...]
    images: tuple[Image, ...] = field(repr=False)
    choices: tuple[str, ...]
    prefill: str = ""


@dataclass(frozen=True)
class ChoiceScores:
    """Log-probabilities of the choices (nats, same order) and the probability mass they hold together.

    `tokens` names the token of each choice, as the engine knows it (two ids: a space piece and the token): two choices
    may share one. `failure` says why this one request could not be weighed.
    """

    logps: tuple[float, ...]
    mass: float
    tokens: tuple[int | str | tuple[int, ...], ...]
    failure: str = ""


@dataclass
class Counters:
    """What an engine did so far. `prefill_tokens`: prompt tokens run through the language model.

    `unshared_prefill_tokens`: what the same prompts take when each is read whole; `memory_splits`: batches halved for
    memory; `requests` and `retries` are those of a server.
    """

    generated_texts: int = 0
    scored_choices: int = 0
    prefill_tokens: int = 0
    unshared_prefill_tokens: int = 0
    decoded_tokens: int = 0
    vision_encodes: int = 0
    memory_splits: int = 0
    requests: int = 0
    retries: int = 0

    @property
    def saved_prefill_tokens(self) -> int:
        """Return how many prompt tokens sharing has saved."""
        return max(self.unshared_prefill_tokens - self.prefill_tokens, 0)
