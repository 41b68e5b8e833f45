"""A judge's tokenizer and context -> which requests it has no room for; no weights are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from clincot import engines
from clincot.chain.prompts import Rubric
from clincot.judges._reading import render
from clincot.judges.base import JudgeRequest
from clincot.judges.scoring import REPLY_TOKENS, ScoringMode, mode_of
from clincot.judges.vlm import beyond
from clincot.lm.escaping import Escape, escape_of
from clincot.lm.lengths import SPARE, context_of, lengths, most_tokens
from clincot.lm.tokenizer_files import read_tokenizer
from clincot.records import Message


@dataclass(frozen=True)
class JudgeRoom:
    """What a causal LM reads of a request, and whether it has room for it."""

    tokenizer: Any = field(repr=False)
    way: ScoringMode
    context: int
    prefill: str = ""

    @classmethod
    def from_pretrained(cls, folder: str | Path, scoring: str, prefill: str = "") -> JudgeRoom:
        """Open the tokenizer and config of a folder."""
        context = context_of(AutoConfig.from_pretrained(folder))
        return cls(read_tokenizer(folder, "judge"), mode_of(scoring), context, prefill)

    @property
    def written(self) -> int:
        """Tokens that a reply may take beyond the first."""
        return 0 if self.way.replies else REPLY_TOKENS

    def reads(self, request: JudgeRequest) -> str:
        """Return the prompt of a request."""
        return render(self.tokenizer, self._escape.messages(self.way.messages(request)), self.prefill)

    def ids(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """Return the token ids that the model reads of a system and a user turn."""
        text = render(self.tokenizer, self._escape.messages(messages))
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def too_long(self, requests: Sequence[JudgeRequest]) -> list[bool]:
        """Return, for each request, whether its prompt and the reply exceed the context."""
        found = [False] * len(requests)
        odd = [i for i, request in enumerate(requests) if not self._surely_fits(request)]
        texts = [self.reads(requests[i]) for i in odd]
        for i, length in zip(odd, lengths(self.tokenizer, texts), strict=True):
            found[i] = self.beyond(length)
        return found

    def beyond(self, length: int) -> bool:
        """Return whether a prompt of `length` tokens leaves no room for a reply."""
        return length + self.written >= self.context

    def _surely_fits(self, request: JudgeRequest) -> bool:
        own = request.rubric
        rubric = " ".join((own.criteria, own.digit, own.yes_or_no)) if isinstance(own, Rubric) else own
        known = (request.reference, request.facts, rubric)
        texts = (request.question, *request.findings, request.statement, *filter(None, known))
        return not self.beyond(self._frame + most_tokens(texts))

    @cached_property
    def _escape(self) -> Escape:
        return escape_of(self.tokenizer)

    @cached_property
    def _frame(self) -> int:
        """Tokens of the longest rubric and the template around the texts of a request."""
        asked = [JudgeRequest("?", "?", ("?",), "?", report, "?", earlier=0) for report in (False, True)]
        return max(lengths(self.tokenizer, [self.reads(one) for one in asked])) + SPARE


@dataclass(frozen=True)
class VlmRoom:
    """A vision-language model, or the policy itself, as a judge: what its processor `model` has no room for."""

    model: Any = field(repr=False)
    scoring: str
    prefill: str = ""

    @classmethod
    def from_pretrained(cls, folder: str | Path, scoring: str, prefill: str = "") -> VlmRoom:
        """Open the processor and config of a folder."""
        return cls(engines.open_room("transformers", folder), scoring, prefill)

    def too_long(self, requests: Sequence[JudgeRequest]) -> list[bool]:
        """Return, per request, whether its prompt and the reply exceed the context; False where `model` cannot say."""
        return beyond(self.model, mode_of(self.scoring), requests, self.prefill)
