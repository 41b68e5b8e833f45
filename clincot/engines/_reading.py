"""Messages and images -> the token ids a model reads, cut into the stretches that other prompts may share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clincot.engines._policy import Policy
from clincot.errors import ModelError
from clincot.lm.segments import Prompt, Segment
from clincot.records import Message


def render(policy: Any, messages: Sequence[Message], images: int, prefill: str = "") -> str:
    """Return the prompt as text, ready for the model's turn or what follows its `prefill`, one token per image block.

    `policy` is a Policy, or a PolicyRoom (room.py) that reads as it does.
    """
    escaped = policy.escape.messages(messages)
    text: str = policy.processor.apply_chat_template(escaped, add_generation_prompt=True, tokenize=False)
    if text.count(policy.image_token) != images:
        raise ModelError(
            f"policy: its chat template wrote {text.count(policy.image_token)} image tokens for {images} images."
            " Use a model that takes several images per prompt."
        )
    return text + prefill


@dataclass(frozen=True)
class Written:
    """What a prompt has in the place of an image token: a text with that many tokens of the image."""

    text: str
    tokens: int


def read(policy: Policy, text: str, images: Sequence[str], written: Sequence[Written], image_id: int) -> Prompt:
    """Tokenise `text` with its i-th image token replaced by `written[i]`, cut after the last `image_id` of each image.

    Without special tokens of the tokenizer: the template writes them all, as TRL's trainer assumes
    (docs/training.md#libraries).
    """
    pieces = text.split(policy.image_token)
    grown = pieces[0] + "".join(own.text + piece for own, piece in zip(written, pieces[1:], strict=True))
    ids = tuple(policy.tokenizer(grown, add_special_tokens=False)["input_ids"])
    places = [i for i, token in enumerate(ids) if token == image_id]
    segments, start, seen = [], 0, 0
    for image, own in zip(images, written, strict=True):
        seen += own.tokens
        end = places[seen - 1] + 1
        segments.append(Segment(ids[start:end], (image,)))
        start = end
    if start < len(ids):
        return Prompt(tuple(segments), Segment(ids[start:]))
    return Prompt(tuple(segments[:-1]), segments[-1])
