"""Statements -> scores in [0, 1] by the policy that wrote them, which sees the global image: Self-Rewarding's judge.

methods.md 6.3: the additive rubric of the paper is replaced by the rubric of the other judges, and its written score by
the recipe's readout (`generated` is the faithful one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL.Image import Image

from clincot import images
from clincot.engines.base import ChoiceRequest, ChoiceScores, Counters, Engine, GenerateRequest
from clincot.errors import ModelError
from clincot.judges._readouts import REPLY_TOKENS, readout_of, written_digit
from clincot.judges.base import JudgeRequest, Rating
from clincot.prompts import judge_messages
from clincot.records import Message


class PolicyItselfJudge:
    """The round's policy as a judge; `key` names its weights. It shares the trunks of its images with generation."""

    def __init__(self, engine: Engine, *, key: str, name: str = "policy", readout: str = "expected") -> None:
        self.engine = engine
        self.name = name
        self.key = key
        self.readout = readout
        self.counters = Counters()  # stays empty: the engine counts what it computes, and once
        self._way = readout_of(readout)
        self._spellings: tuple[tuple[str, ...], ...] | None = None

    def rate(self, requests: Sequence[JudgeRequest]) -> list[Rating]:
        """Rate `requests`, in their order; equal ones are read once. Raises ModelError for a prompt too long."""
        distinct = sorted(set(requests), key=lambda request: (self._text(request), request.image or b""))
        pictures = {data: images.decode(data) for data in {r.image for r in distinct if r.image is not None}}
        seen = [(pictures[r.image],) if r.image is not None else () for r in distinct]
        ratings = self._write(distinct, seen) if not self._way.replies else self._weigh(distinct, seen)
        by_request = dict(zip(distinct, ratings, strict=True))
        return [by_request[request] for request in requests]

    def reads(self, request: JudgeRequest) -> str:
        """Return the text of the prompt and the name of the image before it."""
        return f"{images.content_id(request.image or b'')}\n{self._text(request)}"

    def _text(self, request: JudgeRequest) -> str:
        turns = judge_messages(
            request.question,
            request.reference,
            request.findings,
            request.statement,
            report=request.report,
            facts=request.facts,
            earlier=request.earlier,
            yes_or_no=self._way.yes_or_no,
        )
        return "\n\n".join(turn["content"] for turn in turns)

    def _messages(self, request: JudgeRequest, seen: Sequence[Image]) -> tuple[Message, ...]:
        """One user turn, image first as everywhere, since not every policy's template takes a system turn."""
        blocks: list[Message] = [{"type": "image"} for _ in seen]
        return ({"role": "user", "content": [*blocks, {"type": "text", "text": self._text(request)}]},)

    def _weigh(self, requests: Sequence[JudgeRequest], seen: Sequence[tuple[Image, ...]]) -> list[Rating]:
        asked = [self._messages(request, own) for request, own in zip(requests, seen, strict=True)]
        if self._spellings is None:
            self._spellings = tuple(self._known(spellings) for spellings in self._way.replies)
        spellings = self._spellings
        flat = tuple(spelling for own in spellings for spelling in own)
        choices = [ChoiceRequest(m, own, flat) for m, own in zip(asked, seen, strict=True)]
        return [self._way.weigh(_summed(spellings, scores)) for scores in self.engine.score_choices(choices)]

    def _known(self, spellings: Sequence[str]) -> tuple[str, ...]:
        """Return the spellings that are single tokens of the policy; raises ModelError when none is.

        Asked without an image: what the engine keeps of images must not depend on which unit comes first.
        """
        asked = self._messages(JudgeRequest("?", None, (), "?"), ())
        found: list[str] = []
        refused: ModelError | None = None
        for spelling in spellings:
            try:
                self.engine.score_choices([ChoiceRequest(asked, (), (spelling,))])
                found.append(spelling)
            except ModelError as error:
                refused = refused or error
        if not found and refused is not None:
            raise refused
        return tuple(found)

    def _write(self, requests: Sequence[JudgeRequest], seen: Sequence[tuple[Image, ...]]) -> list[Rating]:
        asked = [
            GenerateRequest(self._messages(r, own), own, 0, temperature=0.0, top_p=1.0, max_new_tokens=REPLY_TOKENS)
            for r, own in zip(requests, seen, strict=True)
        ]
        return [written_digit(reply.text, math.exp(reply.logp)) for reply in self.engine.generate(asked)]


def _summed(spellings: Sequence[Sequence[str]], scores: ChoiceScores) -> list[float]:
    """Return the probability of each reply; spellings of equal log-probability are one token and count once."""
    logps = iter(scores.logps)
    return [sum(math.exp(logp) for logp in {next(logps) for _ in own}) for own in spellings]
