"""An engine, turns and the spellings of replies -> the probability of each reply as the next token."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import islice

from PIL.Image import Image

from clincot.engines.base import Engine, NoLogProbs
from clincot.errors import ModelError
from clincot.lm.requests import ChoiceRequest, ChoiceScores
from clincot.records import Message

Turns = tuple[Message, ...]


def turn(text: str, seen: Sequence[object]) -> Turns:
    """Return one user turn, images first as everywhere, since not every policy's template takes a system turn."""
    blocks: list[Message] = [{"type": "image"} for _ in seen]
    return ({"role": "user", "content": [*blocks, {"type": "text", "text": text}]},)


class WeighedReplies:
    """The replies that an engine may give, each in those of its spellings that are single tokens of the model.

    `probe` is a prompt without an image: what the engine keeps of images must not depend on which shard comes first.
    `prefill` is how every reply begins.
    """

    def __init__(self, engine: Engine, replies: Sequence[Sequence[str]], probe: Turns, prefill: str = "") -> None:
        self.engine = engine
        self._replies = replies
        self._probe = probe
        self._prefill = prefill

    def weigh(self, asked: Sequence[Turns], seen: Sequence[tuple[Image, ...]]) -> list[list[float] | None]:
        """Return, per prompt, the probability of each reply; None where the prompt has no room in the context.

        Raises ModelError when no spelling of a reply is a single token.
        """
        known = self._spellings
        flat = tuple(spelling for own in known for spelling in own)
        pairs = zip(asked, seen, strict=True)
        choices = [ChoiceRequest(turns, own, flat, self._prefill) for turns, own in pairs]
        return [None if s.failure else summed(known, s) for s in self.engine.score_choices(choices)]

    @property
    def spaced(self) -> bool:
        """Return whether replies are weighed after a space piece too; the engine is asked once."""
        return any(isinstance(token, tuple) for own in self._found for _, token in own)

    @property
    def _spellings(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(spelling for spelling, _ in own) for own in self._found)

    @cached_property
    def _found(self) -> tuple[tuple[tuple[str, object], ...], ...]:
        return tuple(self._single(spellings) for spellings in self._replies)

    def _single(self, spellings: Sequence[str]) -> tuple[tuple[str, object], ...]:
        found: list[tuple[str, object]] = []
        refused: ModelError | None = None
        for spelling in spellings:
            try:
                (scores,) = self.engine.score_choices([ChoiceRequest(self._probe, (), (spelling,), self._prefill)])
                found.append((spelling, next(iter(scores.tokens), None)))
            except NoLogProbs:  # no spelling will do
                raise
            except ModelError as error:
                refused = refused or error
        if not found and refused is not None:
            raise refused
        return tuple(found)


def summed(spellings: Sequence[Sequence[str]], scores: ChoiceScores) -> list[float]:
    """Return the probability of each reply; spellings that are one token count once."""
    scored = zip(scores.tokens, scores.logps, strict=True)
    return [sum(map(math.exp, dict(islice(scored, len(own))).values())) for own in spellings]
