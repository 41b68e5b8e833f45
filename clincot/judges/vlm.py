"""Statements -> scores in [0, 1] by a vision-language model that sees their images: a judge, the critic, or the policy.

The round's policy as its own judge is Self-Rewarding's (docs/methods.md#self-rewarding): the additive rubric of the
paper is replaced by the rubric of the other judges, and its written score by the recipe's scoring (`generated` is the
faithful one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL.Image import Image
from torch import nn

from clincot import engines, images
from clincot.engines.base import Engine, Fitting
from clincot.judges._weighed import Turns, WeighedReplies, turn
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.scoring import REPLY_TOKENS, ScoringMode, mode_of, written_digit
from clincot.lm.parking import weights_of
from clincot.lm.requests import TOO_LONG as BEYOND
from clincot.lm.requests import Completion, Counters, GenerateRequest

SPACED = "\n+space"  # in what is read where replies are weighed after a space piece too
TOO_LONG = Rating(None, 0.0, too_long=True)


class VlmJudge:
    """A model behind an engine that sees images; `name` is its repository or `policy`, `key` names its weights.

    `counters` are those of an engine that nobody else uses; the policy's and the critic's engine is counted by itself.
    """

    sees = True
    probe = JudgeRequest("?", None, (), "?")

    def __init__(
        self,
        engine: Engine,
        *,
        key: str,
        name: str = "policy",
        scoring: str = "expected",
        prefill: str = "",
        counters: Counters | None = None,
    ) -> None:
        self.engine = engine
        self.name = name
        self.key = key
        self.scoring = scoring
        self.counters = counters or Counters()
        self._way = mode_of(scoring)
        self._prefill = prefill
        self._replies = WeighedReplies(engine, self._way.replies, self._turns(self.probe, ()), prefill)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        name: str,
        key: str,
        batch_size: int,
        scoring: str = "expected",
        prefill: str = "",
        **options: Any,
    ) -> VlmJudge:
        """Load a folder as a policy's base is loaded; `options` go to the engine (threads, images, load)."""
        engine = engines.load("transformers", folder, batch_size=batch_size, **options)
        return cls(engine, key=key, name=name, scoring=scoring, prefill=prefill, counters=engine.counters)

    def in_mode(self, scoring: str) -> VlmJudge:
        """Return the same model with another scoring mode."""
        own: dict[str, Any] = {"name": self.name, "key": self.key, "prefill": self._prefill, "counters": self.counters}
        return type(self)(self.engine, scoring=scoring, **own)

    @property
    def weights(self) -> nn.Module | None:
        """Return the weights of the policy; None for one that computes elsewhere."""
        return weights_of(self.engine)

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        """Rate `requests`, in their order; equal ones are read once. A prompt beyond the context is `too_long`."""
        texts = {request: _text(self._way, request) for request in set(requests)}
        distinct = sorted(texts, key=lambda request: (texts[request], request.images))
        decoded = {data: images.decode(data) for data in {data for r in distinct for data in self._shown(r)}}
        seen = [tuple(decoded[data] for data in self._shown(r)) for r in distinct]
        asked = [self._turns(request, own) for request, own in zip(distinct, seen, strict=True)]
        ratings = self._write(asked, seen) if not self._way.replies else self._weigh(asked, seen)
        by_request = dict(zip(distinct, ratings, strict=True))
        return [by_request[request] for request in requests]

    def too_long(self, requests: Sequence[JudgeRequest]) -> list[bool]:
        """Ask the engine, where it can say."""
        return beyond(self.engine, self._way, requests, self._prefill)

    def reads(self, request: JudgeRequest) -> str:
        """Return the text of the prompt, the names of the images before it, and how the reply is read and begins."""
        names = ", ".join(map(images.content_id, self._shown(request) or (b"",)))
        own = f"{names}\n{_text(self._way, request)}" + (SPACED if self._replies.spaced else "")
        own += f"\n+{weighing}" if (weighing := getattr(self.engine, "weighing", "")) else ""
        return f"{own}\n+{self._prefill!r}" if self._prefill else own

    def forget(self) -> None:
        """Drop what the engine kept of images and prompts."""
        self.engine.forget()

    def _shown(self, request: JudgeRequest) -> tuple[bytes, ...]:
        return request.images if self.sees else ()

    def _turns(self, request: JudgeRequest, seen: Sequence[object]) -> Turns:
        """Return what the model is asked, its images before it."""
        return turn(_text(self._way, request), seen)

    def _weigh(self, asked: Sequence[Turns], seen: Sequence[tuple[Image, ...]]) -> list[Rating]:
        return [TOO_LONG if read is None else self._way.weigh(read) for read in self._replies.weigh(asked, seen)]

    def _write(self, asked: Sequence[Turns], seen: Sequence[tuple[Image, ...]]) -> list[Rating]:
        replies = self.engine.generate(
            [
                GenerateRequest(turns, own, 0, 0.0, 1.0, REPLY_TOKENS, self._prefill)
                for turns, own in zip(asked, seen, strict=True)
            ]
        )
        return [_rating(reply) for reply in replies]


def _rating(reply: Completion) -> Rating:
    # A server may keep its log-probabilities to itself: the reply counts, its mass is unknown and shown as 0.
    mass = 0.0 if math.isnan(reply.logp) else math.exp(reply.logp)
    if reply.failure == BEYOND:
        return TOO_LONG
    if reply.finish == "failed":
        return Rating(None, 0.0, reply.failure)
    return written_digit(reply.text, mass, cut=reply.finish == "length")


def beyond(engine: object, way: ScoringMode, requests: Sequence[JudgeRequest], prefill: str = "") -> list[bool]:
    """Say which requests `engine` (or its folder's processor) has no room for; False where it cannot say."""
    if not isinstance(engine, Fitting):
        return [False] * len(requests)
    new = 1 if way.replies else REPLY_TOKENS
    asked = [turn(_text(way, request), request.images) for request in requests]
    return engine.too_long([GenerateRequest(turns, (), 0, 0.0, 1.0, new, prefill) for turns in asked])


def _text(way: ScoringMode, request: JudgeRequest) -> str:
    return "\n\n".join(turn["content"] for turn in way.messages(request))
