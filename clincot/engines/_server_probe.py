"""The servers of a role before any work -> an error where they serve another model than named, or read no images."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from PIL import Image

from clincot.engines._chat import chat_messages
from clincot.engines._images import DataUrls
from clincot.engines._server import RequestRefused
from clincot.engines._servers import Card, Servers
from clincot.errors import ModelError, did_you_mean
from clincot.lm.requests import GenerateRequest
from clincot.progress import notice

SIZES = ((64, 64), (96, 56))  # of the images that are shown; shapes differ as those of image and crop do
ONE: dict[str, Any] = {"max_tokens": 1, "temperature": 0.0, "seed": 0}


def try_model(servers: Servers, card: Card, images: int) -> None:
    """Let the model answer one question with `images` images, and one without; a token each.

    Raises ModelError when the answer is another model's, and when images are refused or passed over.
    """
    plain = servers.chat(card.name, [{"role": "user", "content": "?"}], **ONE)
    _check_name(servers, card, str(plain.model or ""))
    if images:
        seeing = servers.chat(card.name, _with_images(images), **ONE)
        before, after = (getattr(reply.usage, "prompt_tokens", None) for reply in (plain, seeing))
        if before is not None and after is not None and after <= before:
            raise ModelError(
                f"server {servers.url}: {card.name} passes images over ({after} tokens of a prompt with {images},"
                f" {before} without). Name a model that sees, or, as a judge, set `kind: openai_text`."
            )


def takes_system(servers: Servers, card: Card) -> bool:
    """Return whether a system turn is read: some templates refuse it (Mistral's), and some drop it."""
    user = {"role": "user", "content": "?"}
    system = {"role": "system", "content": "Reply with one digit."}
    try:
        longer = servers.chat(card.name, [system, user], **ONE)
    except RequestRefused:
        return False
    plain = servers.chat(card.name, [user], **ONE)
    with_it, without = (getattr(reply.usage, "prompt_tokens", None) for reply in (longer, plain))
    return with_it is None or without is None or with_it > without


def _check_name(servers: Servers, card: Card, said: str) -> None:
    if not card.listed or card.name in card.listed:
        return
    known = did_you_mean(card.name, card.listed)
    if said != card.name:
        raise ModelError(f"server {servers.url}: answers as {said!r} when asked for {card.name!r}.{known}")
    notice(f"server {servers.url}: answers for {card.name!r}, which it does not list. It lists {_some(card.listed)}.")


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _with_images(count: int) -> list[dict[str, Any]]:
    seen = tuple(_noise(size, seed) for seed, size in zip(range(count), cycle(SIZES), strict=False))
    blocks = [*({"type": "image"} for _ in seen), {"type": "text", "text": "?"}]
    request = GenerateRequest(({"role": "user", "content": blocks},), seen, 0, 0.0, 1.0, 1)
    return chat_messages(request.messages, DataUrls().encode([request])[0])


def _noise(size: tuple[int, int], seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)
