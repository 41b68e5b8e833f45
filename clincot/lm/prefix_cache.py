"""Prompts that share their beginnings -> next-token logits and a key/value cache, each beginning computed once.

A trunk is a path of segments ([system][global image], then [region crop]); the keys and values of each segment are kept
under its whole path, since they depend on everything before them. Rows with different trunks share a batch, so regions,
questions, steps and look-ahead responses of many images are prefilled together.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from cachetools import LRUCache
from torch import Tensor
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPooling

from clincot.lm.branches import Branches, Layers, Path, size
from clincot.lm.requests import Counters
from clincot.lm.segments import Prompt, Segment


@dataclass
class Started:
    """Prompts read to their end: `logits` (rows, vocabulary) of the next token, cache and mask (rows, tokens)."""

    logits: Tensor
    cache: Any
    mask: Tensor

    def rows(self, index: Tensor) -> Started:
        """Return the rows `index`, repeated where it repeats: samples of one prompt differ in their seeds alone."""
        self.cache.batch_select_indices(index)
        return Started(self.logits[index], self.cache, self.mask[index])


def can_share(model: Any) -> bool:
    """Return whether plain 1-D positions and a plain key/value cache are all this model's attention needs."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or {"full_attention"})
    takes = set(inspect.signature(model.forward).parameters)
    return kinds <= {"full_attention", "sliding_attention"} and {"position_ids", "logits_to_keep"} <= takes


def window(model: Any) -> int:
    """Return how many tokens, padding between trunk and rest included, a row may span before attention slides.

    A sliding mask counts places in the cache: beyond the window, padding would push real tokens out of it.
    """
    return int(getattr(model.config.get_text_config(), "sliding_window", None) or 2**31)


class PrefixCache:
    """Keys and values of the trunks of one model, the least recently used dropped beyond `limit` bytes.

    `branches` bytes more keep what followed the trunks (questions, findings), for prompts that begin alike.
    """

    def __init__(
        self,
        model: Any,
        pad: int,
        counters: Counters,
        limit: int,
        features: Callable[[str], Tensor] | None = None,
        branches: int = 0,
    ) -> None:
        self.model = model
        self.pad = pad
        self.counters = counters
        self.features = features
        self.kept: LRUCache[Path, Layers] = LRUCache(limit, getsizeof=size)
        self.branches = Branches(branches)

    def forget(self) -> None:
        """Drop everything kept."""
        self.branches.clear()
        self.kept.clear()

    @torch.inference_mode()
    def start(self, prompts: Sequence[Prompt]) -> Started:
        """Read `prompts` to their ends, what they share from what is kept or once for all of them."""
        held = self._hold([prompt.trunk for prompt in prompts])
        distinct = {prompt: row for row, prompt in enumerate(dict.fromkeys(prompts))}
        known = [self.branches.longest(prompt) for prompt in distinct]
        before, segments = [], []
        for prompt, (length, shared) in zip(distinct, known, strict=True):
            before.append([*(held[prompt.trunk[: d + 1]] for d in range(len(prompt.trunk))), *shared])
            segments.append(Segment(prompt.rest.ids[length:], prompt.rest.images))
        started = self._forward(before, segments)
        if self.branches.maxsize:
            for row, (prompt, (_, shared)) in enumerate(zip(distinct, known, strict=True)):
                self.branches.keep(prompt, shared, _cut(started.cache, row, len(segments[row].ids)))
        self.counters.unshared_prefill_tokens += sum(prompt.length for prompt in prompts)
        if len(distinct) == len(prompts):
            return started
        return started.rows(torch.tensor([distinct[prompt] for prompt in prompts], device=started.logits.device))

    def _hold(self, trunks: Sequence[Path]) -> dict[Path, Layers]:
        held: dict[Path, Layers] = {}
        for depth in range(1, max(map(len, trunks), default=0) + 1):
            paths = list(dict.fromkeys(trunk[:depth] for trunk in trunks if len(trunk) >= depth))
            lacking = [path for path in paths if path not in self.kept]
            held |= {path: self.kept[path] for path in paths if path in self.kept}
            if lacking:
                held |= self._read_segments(lacking, held)
        for path, layers in held.items():
            if size(layers) <= self.kept.maxsize:
                self.kept[path] = layers
        return held

    def _read_segments(self, paths: Sequence[Path], held: dict[Path, Layers]) -> dict[Path, Layers]:
        before = [[held[path[: d + 1]] for d in range(len(path) - 1)] for path in paths]
        cache = self._forward(before, [path[-1] for path in paths]).cache
        return {path: _cut(cache, row, len(path[-1].ids)) for row, path in enumerate(paths)}

    def _forward(self, before: Sequence[Sequence[Layers]], segments: Sequence[Segment]) -> Started:
        """Run each segment after the segments `before` it, left-padded between the two."""
        device = self.model.device
        longest = max(len(segment.ids) for segment in segments)
        ids = torch.tensor([[self.pad] * (longest - len(s.ids)) + list(s.ids) for s in segments], device=device)
        here = torch.tensor([[0] * (longest - len(s.ids)) + [1] * len(s.ids) for s in segments], device=device)
        cache, there = _joined(before)
        mask = torch.cat([there.to(device), here], dim=1)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -longest:]
        self.counters.prefill_tokens += int(here.sum())
        out = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **self._pictures(segments),
        )
        return Started(out.logits[:, -1], cache, mask)

    def _pictures(self, segments: Sequence[Segment]) -> dict[str, Any]:
        names = [name for segment in segments for name in segment.images]
        if not names or self.features is None:
            return {}
        encoded: Any = [self.features(name) for name in names]
        return {"mm_encoder_outputs": {"image": BaseModelOutputWithPooling(pooler_output=encoded)}}


def _joined(before: Sequence[Sequence[Layers]]) -> tuple[DynamicCache, Tensor]:
    """One cache of all rows, each the segments of its trunk end to end after zeros, and the mask (rows, tokens)."""
    cache = DynamicCache()
    lengths = [sum(layers[0][0].shape[1] for layers in row) for row in before]
    longest = max(lengths)
    mask = torch.tensor([[0] * (longest - n) + [1] * n for n in lengths], dtype=torch.long)
    if longest == 0:
        return cache, mask
    filled = next(row for row in before if row)[0]
    for layer in range(len(filled)):
        keys = torch.stack([_end_to_end(row, layer, 0, filled, longest) for row in before])
        values = torch.stack([_end_to_end(row, layer, 1, filled, longest) for row in before])
        cache.update(keys, values, layer)
    return cache, mask


def _end_to_end(row: Sequence[Layers], layer: int, side: int, like: Layers, longest: int) -> Tensor:
    heads, _, width = like[layer][side].shape
    parts = [segment[layer][side] for segment in row]
    lacking = longest - sum(part.shape[1] for part in parts)
    return torch.cat([like[layer][side].new_zeros(heads, lacking, width), *parts], dim=1)


def _cut(cache: DynamicCache, row: int, length: int) -> Layers:
    """The last `length` tokens of a row; cloned, since a slice would keep the whole batch's keys and values alive."""
    layers: list[Any] = cache.layers
    return tuple((a.keys[row, :, -length:].clone(), a.values[row, :, -length:].clone()) for a in layers)
