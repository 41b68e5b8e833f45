"""A processor or tokenizer -> the tokens that a text must not hold literally, and the text with each broken up.

A literal `<image>` asks for an image that is not there; `</s>` or `<|im_end|>` ends a turn in the middle of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from clincot.lm.ends import special_ids
from clincot.records import Message

# Marks of a turn that a chat template writes as plain text, as Llama 2's [INST] and <<SYS>>.
MARKS = re.compile(r"\[/?[A-Z][A-Z_]+\]|<</?[A-Z]+>>|<\|[a-z_]+\|>|</?s>")


@dataclass(frozen=True)
class Escape:
    """Breaks up `tokens` in a text by a space after their first character; other texts stay as they are."""

    tokens: tuple[str, ...]

    def __call__(self, text: str) -> str:
        """Return `text` without any of the tokens."""
        while (broken := self._pattern.sub(lambda found: f"{found[0][:1]} {found[0][1:]}", text)) != text:
            text = broken
        return text

    def messages(self, messages: Any) -> list[Message]:
        """Return messages with their texts escaped; image blocks stay."""
        return [{**message, "content": self._content(message["content"])} for message in messages]

    def _content(self, content: Any) -> Any:
        if isinstance(content, str):
            return self(content)
        return [{**block, "text": self(block["text"])} if block.get("text") else block for block in content]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Longest first: of two tokens that begin alike the whole one is found.
        return re.compile("|".join(map(re.escape, sorted(self.tokens, key=lambda t: (-len(t), t)))) or r"(?!)")


def escape_of(reader: Any) -> Escape:
    """Return what escapes texts for `reader`: its special tokens, its placeholders, the marks in its chat template."""
    tokenizer = getattr(reader, "tokenizer", reader)
    tokens = {str(token) for i in special_ids(tokenizer) if (token := tokenizer.convert_ids_to_tokens(i))}
    placeholders = (getattr(reader, f"{kind}_token", None) for kind in ("image", "video", "audio", "boi", "eoi"))
    tokens |= {token for token in placeholders if isinstance(token, str)}
    template = getattr(reader, "chat_template", None)
    tokens |= set(MARKS.findall(template)) if isinstance(template, str) else set()
    return Escape(tuple(sorted(token for token in tokens if len(token.strip()) > 1)))
