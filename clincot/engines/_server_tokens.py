"""A served model's prompt -> the token ids that its replies would be, by the server itself or a folder's tokenizer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from clincot.errors import ModelError
from clincot.lm.choice_tokens import TAIL, ChoiceTokens
from clincot.lm.choice_tokens import Path as TokenPath

# A whole tag that is a single token: where a prompt ends in one, no reply begins with a separate space.
MARK = re.compile(r"\s*(?:<[^<>\s]{2,}>|\[/?[A-Z_]{2,}\])\s*")
Extra = Callable[[str, dict[str, Any]], dict[str, Any]]


class ServerTokenizer:
    """What `ChoiceTokens` asks of a tokenizer, answered by the paths `tokenize` and `detokenize` of a server (vLLM)."""

    def __init__(self, extra: Extra, model: str) -> None:
        self.added_tokens_decoder: dict[int, str] = {}
        self._extra = extra
        self._model = model
        self._encode = lru_cache(4096)(self._ask_ids)
        self._decode = lru_cache(4096)(self._ask_text)

    def __call__(self, text: str, add_special_tokens: bool = False) -> dict[str, list[int]]:
        """Return the ids of a text, without special tokens. Raises ModelError where the server does not say."""
        return {"input_ids": list(self._encode(text))}

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids."""
        return self._decode(tuple(ids))

    def tail(self, messages: Sequence[dict[str, Any]]) -> str:
        """Return the last characters of the prompt that the server makes of `messages`, where a reply begins."""
        body = {"model": self._model, "messages": list(messages), "add_special_tokens": False}
        ids = _ids(self._extra("tokenize", body))
        text = self._decode(tuple(ids[-TAIL:]))
        if MARK.fullmatch(last := self._decode((ids[-1],))):
            self.added_tokens_decoder[ids[-1]] = last
        return text[-TAIL:]

    def _ask_ids(self, text: str) -> tuple[int, ...]:
        body = {"model": self._model, "prompt": text, "add_special_tokens": False}
        return tuple(_ids(self._extra("tokenize", body))) if text else ()

    def _ask_text(self, ids: tuple[int, ...]) -> str:
        text = self._extra("detokenize", {"model": self._model, "tokens": list(ids)}).get("prompt")
        if not isinstance(text, str):
            raise NoTokens
        return text


class NoTokens(ModelError):
    """A server that does not say which tokens a text is."""

    def __init__(self) -> None:
        super().__init__("the server does not tokenise. Name the tokenizer of its model: models.ROLE.tokenizer.")


class FolderTokenizer:
    """The tokenizer of a folder: that of the served model, named by the user for a server that does not tokenise."""

    def __init__(self, folder: str | Path) -> None:
        from clincot.lm.tokenizer_files import read_tokenizer  # imports transformers

        self._own = read_tokenizer(folder, "served model")
        self.added_tokens_decoder = self._own.added_tokens_decoder

    def __call__(self, text: str, add_special_tokens: bool = False) -> Any:
        """Return the ids of a text."""
        return self._own(text, add_special_tokens=add_special_tokens)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids."""
        return str(self._own.decode(ids))

    def tail(self, messages: Sequence[dict[str, Any]]) -> str:
        """Return the last characters of the prompt that the tokenizer's template makes of the texts of `messages`."""
        if getattr(self._own, "chat_template", None) is None:
            return ""
        text = self._own.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)
        return str(text)[-TAIL:]


class Replies:
    """The token paths of replies after the prompts of a served model, found once: all its prompts end alike."""

    def __init__(self, tokenizer: ServerTokenizer | FolderTokenizer, name: str) -> None:
        self._tokenizer = tokenizer
        self._name = name
        self._tail: str | None = None
        self._choices: ChoiceTokens | None = None

    def __call__(self, messages: Sequence[dict[str, Any]], choices: Sequence[str]) -> tuple[TokenPath, ...]:
        """Return the path of each choice. Raises NoTokens, or ModelError for a choice that is not a single token."""
        if self._choices is None or self._tail is None:
            self._tail = self._tokenizer.tail(_texts(messages))
            self._choices = ChoiceTokens(self._tokenizer, self._name)  # after the marks of the tail are known
        return self._choices(self._tail, choices)


def _texts(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages with their texts alone: images lie before them and end no prompt."""
    found = []
    for message in messages:
        content = message["content"]
        if not isinstance(content, str):
            content = "\n".join(block["text"] for block in content if block.get("type") == "text")
        found.append({**message, "content": content})
    return found


def _ids(answer: dict[str, Any]) -> list[int]:
    ids = answer.get("tokens")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, int) for one in ids):
        raise NoTokens
    return ids
