"""A prompt's messages in any form -> messages whose content is text, for a file; a file's content -> messages again.

In a file a turn is `{"role", "content": text}` and the images come before the text, as TRL reads it. Rows of older
files hold blocks; so does a row whose images are not those of its columns, in their order: as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Message = dict[str, Any]


def stored_messages(messages: Sequence[Mapping[str, Any]], images: int | None = None) -> list[Message]:
    """Return the messages with text as content; `images` is how many images the row shows, None for its maker's word.

    Blocks that text cannot replace are kept as JSON: images after text or in a later turn, more or fewer than
    `images`, several texts in a turn.
    """
    if any(message["content"] is None for message in messages):
        return [dict(message) for message in messages if message["content"] is None]  # readers refuse it by name
    read = [{"role": message["role"], "content": read_content(message["content"])} for message in messages]
    if all(isinstance(message["content"], str) for message in read):
        return read
    if not _plain(read, images):
        return [{**m, "content": m["content"] if isinstance(m["content"], str) else _json(m["content"])} for m in read]
    return [{"role": message["role"], "content": _text(message["content"])} for message in read]


def read_content(content: Any) -> str | list[dict[str, Any]]:
    """Return a turn's text, or its blocks without empty keys, from what a file or a maker of rows has in its place."""
    if isinstance(content, str):
        blocks = _blocks(content)
        return content if blocks is None else blocks
    # Columns without the Json type come back with `"text": None` in image blocks; templates print that.
    return [{key: value for key, value in block.items() if value is not None} for block in content or ()]


def _blocks(text: str) -> list[dict[str, Any]] | None:
    """Return the blocks that `text` is the JSON of, or None for any other text."""
    if not text.startswith('[{"'):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    named = all(isinstance(block, dict) and block.get("type") in ("image", "text") for block in found)
    return found if named else None


def _plain(messages: Sequence[Message], images: int | None) -> bool:
    """Return whether text alone says the same: all images come before the first user's text."""
    kinds = [
        [block.get("type") for block in m["content"]] if isinstance(m["content"], list) else ["text"] for m in messages
    ]
    first = next((at for at, message in enumerate(messages) if message["role"] == "user"), None)
    if any(set(turn) - {"image", "text"} or turn.count("text") > 1 for turn in kinds):
        return False
    if any("image" in turn and (at != first or turn[-1] != "text") for at, turn in enumerate(kinds)):
        return False
    asked = sum(turn.count("image") for turn in kinds)
    return images is None or asked == images


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def _json(blocks: list[dict[str, Any]]) -> str:
    return json.dumps(blocks, ensure_ascii=False)
