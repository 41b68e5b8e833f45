"""Judge messages -> the text that a causal LM reads, with or without a chat template and a system turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError

from clincot.records import Message


def render(tokenizer: Any, messages: Sequence[Message], prefill: str = "") -> str:
    """Return the prompt, ready for the reply or for what follows its `prefill`.

    `messages` are a system and a user turn of plain text. Without a chat template: plain text ending in the prefill, or
    in "Rating:" for an empty one, after the tokenizer's begin token. With one that refuses
    or drops a system turn (Mistral's does, docs/methods.md#judges): the system text opens the user turn.
    """
    if getattr(tokenizer, "chat_template", None) is None:
        return (tokenizer.bos_token or "") + "\n\n".join(m["content"] for m in messages) + f"\n\n{prefill or 'Rating:'}"
    system = messages[0]["content"]
    try:
        text = _apply(tokenizer, messages)
    except TemplateError:
        return _apply(tokenizer, _folded(messages)) + prefill
    return (text if system in text else _apply(tokenizer, _folded(messages))) + prefill


def _apply(tokenizer: Any, messages: Sequence[Message]) -> str:
    return tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, tokenize=False)


def _folded(messages: Sequence[Message]) -> list[Message]:
    system, user, *others = messages
    return [{**user, "content": f"{system['content']}\n\n{user['content']}"}, *others]
