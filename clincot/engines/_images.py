"""Images -> names by content, and the data URLs that a server reads them from, each made once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from PIL.Image import Image

from clincot.images import encode_png


def image_id(image: Image) -> str:
    """Return a digest of the pixels: equal images are encoded once."""
    head = f"{image.mode} {image.size} ".encode()
    return hashlib.blake2b(head + image.tobytes(), digest_size=16).hexdigest()


def digests(requests: Sequence[Any]) -> list[tuple[str, ...]]:
    """Per request, the digests of its `images`; an image object is hashed once however many requests hold it."""
    known: dict[int, str] = {}
    for request in requests:
        for image in request.images:
            if id(image) not in known:
                known[id(image)] = image_id(image)
    return [tuple(known[id(image)] for image in request.images) for request in requests]


class DataUrls:
    """Images as PNG in data URLs, by content."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def forget(self) -> None:
        """Drop everything kept."""
        self.kept.clear()

    def encode(self, requests: Sequence[Any]) -> list[tuple[str, ...]]:
        """Return, per request, the URLs of its `images`; raises nothing, PNG takes every image."""
        names = digests(requests)
        for request, own in zip(requests, names, strict=True):
            for name, image in zip(own, request.images, strict=True):
                if name not in self.kept:
                    self.kept[name] = "data:image/png;base64," + base64.b64encode(encode_png(image)).decode()
        return [tuple(self.kept[name] for name in own) for own in names]
