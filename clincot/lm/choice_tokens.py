"""A prompt and the replies it may get -> the token id that each would be there, or several where it has spellings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clincot.errors import ModelError

TAIL = 64  # characters of the prompt that can change how its continuation is cut into tokens; generous
Ids = tuple[tuple[int, ...], ...]  # per reply, each token once


class ChoiceTokens:
    """Resolves replies to token ids, by encoding them after the end of the prompt: vocabularies differ in spaces."""

    def __init__(self, tokenizer: Any, name: str) -> None:
        self.tokenizer = tokenizer
        self.name = name
        self.resolved: dict[tuple[str, tuple[str, ...]], tuple[int, ...]] = {}

    def __call__(self, text: str, choices: Sequence[str]) -> tuple[int, ...]:
        """Return the last token id of `text` + choice for each choice.

        Raises ModelError when that token does not read as the choice: it takes several tokens, or has none.
        """
        key = (text[-TAIL:], tuple(choices))
        if key not in self.resolved:
            self.resolved[key] = tuple(self._last(key[0], choice) for choice in choices)
        return self.resolved[key]

    def _last(self, tail: str, choice: str) -> int:
        last = self.tokenizer(tail + choice, add_special_tokens=False)["input_ids"][-1]
        if self.tokenizer.decode([last]).strip() != choice.strip():
            advice = "Name a model whose tokenizer has it"
            raise ModelError(f"{self.name}: {choice.strip()!r} is not a single token of its vocabulary. {advice}.")
        return last


class ReplyTokens:
    """Resolves replies after a prompt; a spelling that a vocabulary cuts into several tokens is left out."""

    def __init__(self, tokenizer: Any, name: str, replies: tuple[tuple[str, ...], ...]) -> None:
        self.name = name
        self.replies = replies
        self._choices = ChoiceTokens(tokenizer, name)
        self._resolved: dict[str, Ids] = {}

    def __call__(self, text: str) -> Ids:
        """Raise ModelError for a reply that is not one distinct token after `text`."""
        tail = text[-TAIL:]
        if tail not in self._resolved:
            self._resolved[tail] = self._resolve(tail)
        return self._resolved[tail]

    def _resolve(self, tail: str) -> Ids:
        ids = tuple(self._spellings(tail, spellings) for spellings in self.replies)
        flat = [i for own in ids for i in own]
        if len(set(flat)) < len(flat):
            names = " and ".join((self.replies[0][0], self.replies[-1][0]))
            raise ModelError(f"{self.name}: its vocabulary does not distinguish {names}. Name another model.")
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
