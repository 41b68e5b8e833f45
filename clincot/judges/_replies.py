"""A prompt and replies in several spellings -> the token ids that each reply may begin and end with there."""

from __future__ import annotations

from typing import Any

from clincot.engines._choices import TAIL, ChoiceTokens
from clincot.errors import ModelError

Ids = tuple[tuple[int, ...], ...]  # per reply, each token once


class ReplyTokens:
    """Resolves replies behind a prompt; a spelling that a vocabulary cuts into several tokens is left out."""

    def __init__(self, tokenizer: Any, name: str, replies: tuple[tuple[str, ...], ...]) -> None:
        self.name = name
        self.replies = replies
        self._choices = ChoiceTokens(tokenizer, name)
        self._resolved: dict[str, Ids] = {}

    def __call__(self, text: str) -> Ids:
        """Raise ModelError for a reply without a token of its own behind `text`."""
        tail = text[-TAIL:]
        if tail not in self._resolved:
            self._resolved[tail] = self._resolve(tail)
        return self._resolved[tail]

    def _resolve(self, tail: str) -> Ids:
        ids = tuple(self._spellings(tail, spellings) for spellings in self.replies)
        flat = [i for own in ids for i in own]
        if len(set(flat)) < len(flat):
            names = " and ".join((self.replies[0][0], self.replies[-1][0]))
            raise ModelError(f"{self.name}: its vocabulary does not tell {names} apart. Name another model.")
        return ids

    def _spellings(self, tail: str, spellings: tuple[str, ...]) -> tuple[int, ...]:
        found: set[int] = set()
        refused: ModelError | None = None
        for spelling in spellings:
            try:
                found |= set(self._choices(tail, (spelling,)))
            except ModelError as error:
                refused = refused or error
        if not found and refused is not None:
            raise refused
        return tuple(sorted(found))
