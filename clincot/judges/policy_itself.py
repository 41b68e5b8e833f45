"""Statements -> scores in [0, 1] by the policy that wrote them, which sees the global image: Self-Rewarding's judge.

docs/methods.md#self-rewarding: the additive rubric of the paper is replaced by the rubric of the other judges, and its
written score by the recipe's scoring (`generated` is the faithful one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL.Image import Image

from clincot import images
from clincot.engines.base import Engine, Fitting
from clincot.judges._weighed import Turns, WeighedReplies, turn
from clincot.judges.base import JudgeRequest, Rating
from clincot.judges.scoring import REPLY_TOKENS, ScoringMode, mode_of, written_digit
from clincot.lm.requests import TOO_LONG as BEYOND
from clincot.lm.requests import Completion, Counters, GenerateRequest

SPACED = "\n+space"  # in what is read where replies are weighed after a space piece too
TOO_LONG = Rating(None, 0.0, too_long=True)


class PolicyItselfJudge:
    """The round's policy as a judge; `key` names its weights. It shares the trunks of its images with generation."""

    def __init__(self, engine: Engine, *, key: str, name: str = "policy", scoring: str = "expected") -> None:
        self.engine = engine
        self.name = name
        self.key = key
        self.scoring = scoring
        self.counters = Counters()  # stays empty: the engine counts what it computes, and once
        self._way = mode_of(scoring)
        self._replies = WeighedReplies(engine, self._way.replies, self._text(JudgeRequest("?", None, (), "?")))

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        """Rate `requests`, in their order; equal ones are read once. A prompt beyond the context is `too_long`."""
        texts = {request: self._text(request) for request in set(requests)}
        distinct = sorted(texts, key=lambda request: (texts[request], request.image or b""))
        decoded = {data: images.decode(data) for data in {r.image for r in distinct if r.image is not None}}
        seen = [(decoded[r.image],) if r.image is not None else () for r in distinct]
        asked = [turn(texts[request], own) for request, own in zip(distinct, seen, strict=True)]
        ratings = self._write(asked, seen) if not self._way.replies else self._weigh(asked, seen)
        by_request = dict(zip(distinct, ratings, strict=True))
        return [by_request[request] for request in requests]

    def too_long(self, requests: Sequence[JudgeRequest]) -> list[bool]:
        """Ask the engine, where it can say."""
        return beyond(self.engine, self._way, requests)

    def reads(self, request: JudgeRequest) -> str:
        """Return the text of the prompt and the name of the image before it, and whether a space piece is read too."""
        own = f"{images.content_id(request.image or b'')}\n{self._text(request)}"
        return own + SPACED if self._replies.spaced else own

    def _text(self, request: JudgeRequest) -> str:
        return _text(self._way, request)

    def _weigh(self, asked: Sequence[Turns], seen: Sequence[tuple[Image, ...]]) -> list[Rating]:
        return [TOO_LONG if read is None else self._way.weigh(read) for read in self._replies.weigh(asked, seen)]

    def _write(self, asked: Sequence[Turns], seen: Sequence[tuple[Image, ...]]) -> list[Rating]:
        replies = self.engine.generate(
            [
                GenerateRequest(turns, own, 0, temperature=0.0, top_p=1.0, max_new_tokens=REPLY_TOKENS)
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


def beyond(engine: object, way: ScoringMode, requests: Sequence[JudgeRequest]) -> list[bool]:
    """Say which requests `engine` (or its folder's processor) has no room for; False where it cannot say."""
    if not isinstance(engine, Fitting):
        return [False] * len(requests)
    new = 1 if way.replies else REPLY_TOKENS
    asked = [turn(_text(way, request), (None,) if request.image is not None else ()) for request in requests]
    return engine.too_long([GenerateRequest(turns, (), 0, 0.0, 1.0, new) for turns in asked])


def _text(way: ScoringMode, request: JudgeRequest) -> str:
    return "\n\n".join(turn["content"] for turn in way.messages(request))
