"""Messages and the URLs of their images -> what a chat request says, and what its reply said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from clincot.records import Message

QUESTION = re.compile(r"^Question: .*$", re.MULTILINE)


def chat_messages(messages: Sequence[Message], urls: Sequence[str]) -> list[dict[str, Any]]:
    """Return `messages` with their i-th image block as a reference to `urls[i]`."""
    left = iter(urls)

    def block(one: dict[str, Any]) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": next(left)}} if one["type"] == "image" else dict(one)

    return [
        {**message, "content": content if isinstance(content := message["content"], str) else [*map(block, content)]}
        for message in messages
    ]


def subject_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return what names the subject of a request: its first image, or its text where it has none."""
    blocks = [block for message in messages if not isinstance(message["content"], str) for block in message["content"]]
    return next((block["image_url"]["url"] for block in blocks if "image_url" in block), str(messages))


def beginning_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return what requests that begin alike have in common: their first image, else their question, else their text."""
    subject = subject_of(messages)
    found = None if subject.startswith("data:") else QUESTION.search("\n".join(map(_text, messages)))
    return found.group() if found else subject


def _text(message: Mapping[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "\n".join(block.get("text", "") for block in content)


def text_of(message: Any) -> str | None:
    """Return the text of a reply, its parts joined where it comes in parts; None for a reply without text."""
    content = getattr(message, "content", None)
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else getattr(part, "text", None) for part in content]
        content = "".join(part for part in parts if isinstance(part, str)) or None
    return content if isinstance(content, str) else None


def tokens_of(reply: Any) -> list[Any]:
    """Return the tokens of a reply's first choice with their log-probabilities; empty where it has none."""
    choice = reply.choices[0] if reply.choices else None
    return list(choice.logprobs.content or ()) if choice is not None and choice.logprobs else []
