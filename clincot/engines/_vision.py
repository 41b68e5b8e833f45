"""Images -> the vision features of each distinct one, encoded once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from cachetools import LRUCache
from PIL.Image import Image
from torch import Tensor

from clincot.lm.halving import in_halves
from clincot.lm.requests import Counters


class VisionFeatures:
    """Features (image tokens, width of the language model) by image digest, for the images of one call.

    Up to `limit` bytes are kept for the next calls, the most recently used.
    """

    def __init__(self, model: Any, image_processor: Any, batch_size: int, counters: Counters, limit: int) -> None:
        self.model = model
        self.image_processor = image_processor
        self.batch_size = batch_size
        self.counters = counters
        self.now: dict[str, Tensor] = {}
        self.kept: LRUCache[str, Tensor] = LRUCache(limit, getsizeof=lambda features: features.nbytes)

    def forget(self) -> None:
        """Drop everything kept."""
        self.now.clear()
        self.kept.clear()

    def __call__(self, name: str) -> Tensor:
        return self.now[name]

    def encode(self, images: Mapping[str, Image]) -> None:
        """Encode those of `images` (digest -> image) that are not kept yet, in the order of their digests."""
        self.now = {name: self.kept[name] for name in sorted(images.keys() & self.kept.keys())}
        lacking = sorted(images.keys() - self.kept.keys())
        for start in range(0, len(lacking), self.batch_size):
            names = lacking[start : start + self.batch_size]
            encoded = in_halves([images[name] for name in names], self._encode, self.counters)
            self.now.update(zip(names, encoded, strict=True))
        for name in lacking:
            if self.now[name].nbytes <= self.kept.maxsize:
                self.kept[name] = self.now[name]

    @torch.inference_mode()
    def _encode(self, images: Any) -> list[Tensor]:
        pixels = self.image_processor(images=list(images), return_tensors="pt")["pixel_values"]
        out = self.model.get_image_features(
            pixel_values=pixels.to(self.model.device, self.model.dtype), return_dict=True
        )
        self.counters.vision_encodes += len(images)
        return list(out.pooler_output)
