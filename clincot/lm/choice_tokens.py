"""A prompt and the replies it may get -> the token ids that each would be there, or several where it has spellings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clincot.errors import ModelError

TAIL = 64  # characters of the prompt that can change how its continuation is cut into tokens; generous
Path = tuple[int, ...]  # the token of a reply, or a space piece and the token after it
Paths = tuple[tuple[Path, ...], ...]  # per reply, each path once


class ChoiceTokens:
    """Resolves replies to token ids, by encoding them after the end of the prompt: vocabularies differ in spaces."""

    def __init__(self, tokenizer: Any, name: str) -> None:
        self.tokenizer = tokenizer
        self.name = name
        self.resolved: dict[tuple[str, tuple[str, ...]], tuple[Path, ...]] = {}
        self._marks = frozenset(tokenizer.added_tokens_decoder)

    def __call__(self, text: str, choices: Sequence[str]) -> tuple[Path, ...]:
        """Return, for each choice, the last token id of `text` + choice, after a space piece where a reply has one.

        Mistral's v1 and Llama-2's vocabularies have no token for " 8": a model replies with a space piece and the
        digit. Raises ModelError when the last token does not read as the choice: it takes several tokens, or has none.
        """
        key = (text[-TAIL:], tuple(choices))
        if key not in self.resolved:
            self.resolved[key] = tuple(self._path(key[0], choice) for choice in choices)
        return self.resolved[key]

    def _path(self, tail: str, choice: str) -> Path:
        last = self._ids(tail + choice)[-1]
        if self.tokenizer.decode([last]).strip() != choice.strip():
            advice = "Name a model whose tokenizer has it"
            raise ModelError(f"{self.name}: {choice.strip()!r} is not a single token of its vocabulary. {advice}.")
        return self._after_space(tail, choice, last) if choice.startswith(" ") else (last,)

    def _after_space(self, tail: str, choice: str, last: int) -> Path:
        """Return (space piece, last), or (last,) where no reply begins with a separate space piece."""
        before = self._ids(tail)
        if tail.endswith(" ") or not (self._is_blank(self._ids(choice.strip())[0]) or self._ends_in_text(tail, before)):
            return (last,)
        # A tokenizer may write the space piece unasked: " 8" is then two spaces and the digit, "8" what a model writes.
        for spelling in (choice.strip(), choice):
            ids = self._ids(tail + spelling)
            path = tuple(ids[len(before) :])
            if ids[: len(before)] == before and path[1:] == (last,) and self._is_blank(path[0]):
                return path
        return (last,)

    def _ends_in_text(self, tail: str, ids: Sequence[int]) -> bool:
        """Return whether a space is to be expected next: the prompt ends in a word, not in a line break or a mark."""
        return bool(tail[-1:].strip()) and ids[-1] not in self._marks

    def _is_blank(self, token: int) -> bool:
        return not self.tokenizer.decode([token]).strip()

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids


class ReplyTokens:
    """Resolves replies after a prompt; a spelling that a vocabulary cuts into several tokens is left out."""

    def __init__(self, tokenizer: Any, name: str, replies: tuple[tuple[str, ...], ...]) -> None:
        self.name = name
        self.replies = replies
        self._choices = ChoiceTokens(tokenizer, name)
        self._resolved: dict[str, Paths] = {}

    def __call__(self, text: str) -> Paths:
        """Raise ModelError for a reply that is not one distinct token, or a space and that token, after `text`."""
        tail = text[-TAIL:]
        if tail not in self._resolved:
            self._resolved[tail] = self._resolve(tail)
        return self._resolved[tail]

    def _resolve(self, tail: str) -> Paths:
        paths = tuple(self._spellings(tail, spellings) for spellings in self.replies)
        flat = [path for own in paths for path in own]
        if len(set(flat)) < len(flat):
            names = " and ".join((self.replies[0][0], self.replies[-1][0]))
            raise ModelError(f"{self.name}: its vocabulary does not distinguish {names}. Name another model.")
        return paths

    def _spellings(self, tail: str, spellings: tuple[str, ...]) -> tuple[Path, ...]:
        found: set[Path] = set()
        refused: ModelError | None = None
        for spelling in spellings:
            try:
                found |= set(self._choices(tail, (spelling,)))
            except ModelError as error:
                refused = refused or error
        if not found and refused is not None:
            raise refused
        return tuple(sorted(found))
