"""Pictures -> names by content and the data URLs that a server reads them from, each made once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from PIL.Image import Image

from clincot.images import encode_png


def picture_id(picture: Image) -> str:
    """Return a digest of the pixels: equal pictures are encoded once, whoever decoded them."""
    head = f"{picture.mode} {picture.size} ".encode()
    return hashlib.blake2b(head + picture.tobytes(), digest_size=16).hexdigest()


def digests(requests: Sequence[Any]) -> list[tuple[str, ...]]:
    """Per request, the digests of its `images`; a picture object is hashed once however many requests hold it."""
    known: dict[int, str] = {}
    for request in requests:
        for picture in request.images:
            if id(picture) not in known:
                known[id(picture)] = picture_id(picture)
    return [tuple(known[id(picture)] for picture in request.images) for request in requests]


class DataUrls:
    """Pictures as PNG in data URLs, by content."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def forget(self) -> None:
        """Drop everything kept."""
        self.kept.clear()

    def encode(self, requests: Sequence[Any]) -> list[tuple[str, ...]]:
        """Return, per request, the URLs of its `images`; raises nothing, PNG takes every picture."""
        names = digests(requests)
        for request, own in zip(requests, names, strict=True):
            for name, picture in zip(own, request.images, strict=True):
                if name not in self.kept:
                    self.kept[name] = "data:image/png;base64," + base64.b64encode(encode_png(picture)).decode()
        return [tuple(self.kept[name] for name in own) for own in names]
