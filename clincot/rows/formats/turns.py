"""Turns and image marks of other projects <-> prompts whose images are blocks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clincot.records import Message
from clincot.rows.formats.base import OtherPair, UnfitRow
from clincot.rows.stored_messages import read_content, stored_messages

MARK = "<image>"
MEDIA = re.compile(r"<(image|video|audio)>")
ROLES = {"human": "user", "gpt": "assistant", "user": "user", "assistant": "assistant", "system": "system"}
NAMES = {"user": "human", "assistant": "gpt", "system": "system"}  # of LLaVA's turns
IMAGE: Message = {"type": "image"}
TURNS = "whose turns cannot be read"
MARKS = "whose image marks are not as many as their images"
OTHER_MEDIA = ("videos", "video", "audios", "audio", "tools")


def turns_of(value: Any) -> list[Message]:
    """Return turns as role and content, from those with `role` and `content` or `from` and `value`."""
    if not isinstance(value, list) or not value:
        raise UnfitRow(TURNS, f"expected a list of turns, found {_short(value)}")
    return [_turn(entry) for entry in value]


def _turn(entry: Any) -> Message:
    if not isinstance(entry, Mapping):
        raise UnfitRow(TURNS, f"a turn is {_short(entry)}")
    role = ROLES.get(str(entry.get("role", entry.get("from"))))
    content = entry.get("content", entry.get("value"))
    if role is None or not isinstance(content, (str, list)):
        raise UnfitRow(TURNS, f"a turn is {_short(dict(entry))}")
    return {"role": role, "content": read_content(content)}


def text_of(value: Any) -> str:
    """Return an answer from a text, an assistant's turn, or a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        turn = _turn(value)
        if turn["role"] != "assistant":
            raise UnfitRow(TURNS, "an answer is not the assistant's")
        value = _joined(turn["content"])
    if not isinstance(value, str):
        raise UnfitRow("whose answer is no single text", _short(value))
    if MARK in value:
        raise UnfitRow("with an image mark in an answer")
    return value


def prompt_of(
    turns: Sequence[Message], images: int, *, before: bool = False, unmarked: bool = True
) -> tuple[Message, ...]:
    """Return a prompt whose blocks ask for `images` images, from turns with marks or blocks.

    `before`: marks count as before the text of their turn, as LLaVA moves them. `unmarked`: without a mark all images
    come before the first user's text.
    """
    if not turns or turns[-1]["role"] != "user":
        raise UnfitRow("whose prompt does not end with the user's turn")
    split = [{"role": turn["role"], "content": _blocks(turn, before)} for turn in turns]
    asked = sum(block["type"] == "image" for turn in split for block in turn["content"])
    if asked != images and (asked or not unmarked):
        raise UnfitRow(MARKS, f"{asked} marks, {images} images")
    if not any(block.get("text", "").strip() for turn in split for block in turn["content"] if turn["role"] == "user"):
        raise UnfitRow("with an empty prompt")
    if asked != images:
        first = next(turn for turn in split if turn["role"] == "user")
        first["content"] = [IMAGE] * images + first["content"]
    return tuple(stored_messages(split, images))


def _blocks(turn: Message, before: bool) -> list[Message]:
    content = turn["content"]
    if isinstance(content, list):
        if any(block.get("type") not in ("image", "text") for block in content):
            raise UnfitRow(TURNS, f"a turn holds {_short(content)}")
        return [
            {"type": "text", "text": block.get("text", "")} if block["type"] == "text" else IMAGE for block in content
        ]
    parts = content.split(MARK)
    if len(parts) > 1 and turn["role"] == "assistant":
        raise UnfitRow("with an image mark in an answer")
    if before:
        return [IMAGE] * (len(parts) - 1) + [{"type": "text", "text": "".join(parts).strip()}]
    if len(parts) == 1:
        return [{"type": "text", "text": content}]
    found: list[Message] = []
    for at, part in enumerate(parts):
        text = part.strip("\n")  # between a mark and a text, LLaVA's line break; the chat template writes its own
        found += [{"type": "text", "text": text}] if text else []
        found += [IMAGE] if at < len(parts) - 1 else []
    return found


def common(*lists: Sequence[Any]) -> int:
    """Return how many first entries are the same in all lists."""
    same = 0
    for entries in zip(*lists, strict=False):
        if any(entry != entries[0] for entry in entries):
            break
        same += 1
    return same


def images_of(row: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    """Return the images of the first of these columns that is not empty, one or a list."""
    found: Any = next((row[name] for name in names if row.get(name) not in (None, "", [])), [])
    return tuple(found) if isinstance(found, list) else (found,)


def number_of(row: Mapping[str, Any], name: str) -> float | None:
    """Return a number, None without one. Raises UnfitRow for another value."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise UnfitRow(f"whose {name} is not a number", _short(value))
    return float(value)


def refuse_media(row: Mapping[str, Any]) -> None:
    """Raise UnfitRow for a row with more than images and texts: leaving it out would change what is asked."""
    found = next((name for name in OTHER_MEDIA if row.get(name)), None)
    if found:
        raise UnfitRow(f"with {found}, which clincot does not train on")


def marked(pair: OtherPair) -> list[Message]:
    """Return the prompt's turns as texts with a mark for each image of a side; literal marks in texts are broken up."""
    found: list[Message] = []
    read = [{"role": turn["role"], "content": read_content(turn["content"])} for turn in pair.prompt]
    plain = all(isinstance(turn["content"], str) for turn in read)
    first = next((at for at, turn in enumerate(read) if turn["role"] == "user"), None)
    shown = len(pair.images) + len(pair.chosen_images)
    for at, turn in enumerate(read):
        if isinstance(turn["content"], str):
            text = MARK * (shown if plain and at == first else 0) + safe(turn["content"])
        else:
            text = "".join(MARK if block["type"] == "image" else safe(block["text"]) for block in turn["content"])
        found.append({"role": turn["role"], "content": text})
    return found


def plain_prompt(pair: OtherPair) -> bool:
    """Return whether all images come before the first user's text."""
    return all(isinstance(read_content(turn["content"]), str) for turn in pair.prompt)


def safe(text: str) -> str:
    """Return `text` with literal marks broken up by a space, as clincot trains it."""
    return MEDIA.sub(r"< \1>", text)


def named(turns: Iterable[Message]) -> list[Message]:
    """Return turns as LLaVA writes them, with `from` and `value`."""
    return [{"from": NAMES[turn["role"]], "value": turn["content"]} for turn in turns]


def _joined(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
