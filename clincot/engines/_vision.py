"""Images -> what a model reads of each distinct one: its tokens and their features, encoded once and kept."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from cachetools import LRUCache
from PIL.Image import Image
from torch import Tensor

from clincot.engines._policy import Policy
from clincot.lm.aside import Entries, set_aside, take_back, taken
from clincot.lm.halving import in_halves
from clincot.lm.requests import Counters

DEEPER = "deepstack_features"  # what a model adds to the output of its first layers (Qwen3-VL)
OF_TOKENS = frozenset({"input_ids", "attention_mask", "mm_token_type_ids"})


@dataclass(frozen=True)
class Encoded:
    """An image as a prompt holds it.

    `text` is what the processor writes for it. Its image tokens are filled with `features` (tokens, width), those of
    the first layers with `deeper` in addition; `grid` are inputs that positions are computed from.
    """

    text: str
    features: Tensor
    deeper: tuple[Tensor, ...] = ()
    grid: Mapping[str, Tensor] | None = None

    @property
    def tokens(self) -> int:
        return len(self.features)

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in (self.features, *self.deeper))


class VisionFeatures:
    """What a model reads of images, by digest, for the images of one call.

    Up to `limit` bytes are kept for the next calls, the most recently used. `listed`: the model has its features as a
    list with an entry per image; `marks` are the inputs of its prompts that are 1 at image tokens and 0 elsewhere.
    """

    def __init__(self, policy: Policy, batch_size: int, counters: Counters, limit: int) -> None:
        self.policy = policy
        self.batch_size = batch_size
        self.counters = counters
        self.listed = True
        self.marks: tuple[str, ...] = ()
        self.now: dict[str, Encoded] = {}
        self.kept: LRUCache[str, Encoded] = LRUCache(limit, getsizeof=lambda encoded: encoded.nbytes)
        self._inner: Any = policy.model.base_model

    def forget(self) -> None:
        """Drop everything kept."""
        self.now.clear()
        self.kept.clear()

    def set_aside(self) -> Entries[str, Any]:
        """Return everything kept, in CPU memory, and keep nothing."""
        self.now.clear()
        return set_aside(taken(self.kept))

    def take_back(self, kept: Entries[str, Any]) -> None:
        """Keep what was set aside again, each tensor on its device."""
        self.kept.update(take_back(kept))

    def __call__(self, name: str) -> Encoded:
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
    def _encode(self, images: Sequence[Image]) -> list[Encoded]:
        policy = self.policy
        options = {"padding": True, "return_tensors": "pt", "add_special_tokens": False}
        read = policy.processor(
            images=[[image] for image in images],
            text=[policy.image_token] * len(images),
            return_text_replacement_offsets=True,
            **options,
        )
        if "text_replacement_offsets" not in read:
            raise ValueError("its processor does not say what it writes for an image")
        texts = [found[0]["replacement"] for found in read.pop("text_replacement_offsets")]
        ids = read["input_ids"]
        self.marks = tuple(sorted(name for name in read if name not in OF_TOKENS and read[name].shape == ids.shape))
        out = self._features(read)
        self.counters.vision_encodes += len(images)
        self.listed = not isinstance(out.pooler_output, Tensor)
        counts = (ids == policy.image_id).sum(1).tolist()
        features, *deeper = (_by_image(part, counts) for part in (out.pooler_output, *(out.get(DEEPER) or ())))
        rows = zip(texts, features, zip(*deeper, strict=True) if deeper else [()] * len(texts), strict=True)
        return [Encoded(*row, self._grid(read, i)) for i, row in enumerate(rows)]

    def _features(self, read: Mapping[str, Tensor]) -> Any:
        model, takes = self.policy.model, parameters(self._inner.get_image_features)
        given = {
            name: value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)
            for name, value in read.items()
            if name in takes
        }
        return self._inner.get_image_features(**given, return_dict=True)

    def _grid(self, read: Mapping[str, Tensor], row: int) -> dict[str, Tensor] | None:
        rope = getattr(self._inner, "get_rope_index", None)
        if rope is None:
            return None
        return {name: read[name][row : row + 1] for name in parameters(rope) - OF_TOKENS if name in read}


def parameters(function: Any) -> frozenset[str]:
    """Return the names of what a function takes."""
    return frozenset(inspect.signature(function).parameters)


def _by_image(features: Any, counts: Sequence[int]) -> list[Tensor]:
    """Cut features, of one or several tiles an image and in any nesting, into rows (tokens, width) per image."""
    parts = [features] if isinstance(features, Tensor) else features
    rows = torch.cat([part.reshape(-1, part.shape[-1]) for part in parts])
    if len(rows) != sum(counts):
        raise ValueError(f"its tower makes {len(rows)} features for {sum(counts)} image tokens")
    # A view would keep the features of the whole batch alive.
    return [part.clone() for part in rows.split(list(counts))]
