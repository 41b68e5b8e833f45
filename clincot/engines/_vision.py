"""Pictures -> the vision features of each distinct one, encoded once and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from clincot.lm.halving import in_halves
from clincot.lm.requests import Counters


class VisionFeatures:
    """Features (image tokens, width of the language model) by picture digest; the oldest go beyond `limit` bytes."""

    def __init__(self, model: Any, image_processor: Any, batch_size: int, counters: Counters, limit: int) -> None:
        self.model = model
        self.image_processor = image_processor
        self.batch_size = batch_size
        self.counters = counters
        self.limit = limit
        self.kept: OrderedDict[str, Tensor] = OrderedDict()

    def forget(self) -> None:
        """Drop everything kept."""
        self.kept.clear()

    def __call__(self, name: str) -> Tensor:
        return self.kept[name]

    def encode(self, pictures: Mapping[str, Image]) -> None:
        """Encode those of `pictures` (digest -> picture) that are not kept yet, in the order of their digests."""
        for name in sorted(pictures.keys() & self.kept.keys()):
            self.kept.move_to_end(name)
        lacking = sorted(pictures.keys() - self.kept.keys())
        for start in range(0, len(lacking), self.batch_size):
            names = lacking[start : start + self.batch_size]
            encoded = in_halves([pictures[name] for name in names], self._encode, self.counters)
            self.kept.update(zip(names, encoded, strict=True))
        # Never those of this call: its prompts are about to use them.
        while sum(f.nbytes for f in self.kept.values()) > self.limit and next(iter(self.kept)) not in pictures:
            self.kept.popitem(last=False)

    @torch.inference_mode()
    def _encode(self, pictures: Any) -> list[Tensor]:
        pixels = self.image_processor(images=list(pictures), return_tensors="pt")["pixel_values"]
        out = self.model.get_image_features(
            pixel_values=pixels.to(self.model.device, self.model.dtype), return_dict=True
        )
        self.counters.vision_encodes += len(pictures)
        return list(out.pooler_output)
