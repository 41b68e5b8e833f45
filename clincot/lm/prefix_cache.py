"""Prompts that share their beginnings -> next-token logits and a key/value cache, each beginning computed once.

A trunk is a path of segments ([system][global image], then [region crop]); the keys and values of each segment are kept
under its whole path, since they depend on everything before them. Rows with different trunks share a batch, so regions,
questions, steps and look-ahead responses of many images are prefilled together.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from cachetools import LRUCache
from torch import Tensor
from transformers import DynamicCache

from clincot.lm.aside import Entries, set_aside, take_back, taken
from clincot.lm.branches import Branches, Layers, Path, size
from clincot.lm.positions import Positions
from clincot.lm.requests import Counters
from clincot.lm.segments import Prompt, Segment

SLIDING = "sliding_attention"
UNLIMITED = 2**31
Aside = tuple[Entries[Path, Any], Entries[Any, Any]]  # trunks and branches, set aside


@dataclass
class Started:
    """Prompts read to their end: `logits` (rows, vocabulary) of the next token and its `positions` (rows,).

    `mask` (rows, tokens) goes with the cache.
    """

    logits: Tensor
    cache: Any
    mask: Tensor
    positions: Tensor

    def rows(self, index: Tensor) -> Started:
        """Return the rows `index`, repeated where it repeats: samples of one prompt differ in their seeds alone."""
        self.cache.batch_select_indices(index)
        return Started(self.logits[index], self.cache, self.mask[index], self.positions[index])


class Images(Protocol):
    """The images of segments, for a model that sees."""

    @property
    def counts_otherwise(self) -> bool:
        """Whether an image has other positions than one per token."""
        ...

    def inputs(self, segments: Sequence[Segment], ids: Tensor, before: int) -> dict[str, Any]:
        """Return more inputs of `forward` for `segments`, whose `ids` (rows, tokens) follow `before` places."""
        ...

    def positions(self, segment: Segment) -> Tensor:
        """Return the positions (axes, tokens) of a segment with images, of which the first is 0."""
        ...


def can_share(model: Any) -> bool:
    """Return whether positions and a plain key/value cache are all this model's attention needs."""
    takes = set(inspect.signature(model.forward).parameters)
    return _attends(model) <= {"full_attention", SLIDING} and {"position_ids", "logits_to_keep"} <= takes


def window(model: Any) -> int:
    """Return how many tokens, padding between trunk and rest included, a row may span before attention slides.

    A sliding mask counts places in the cache: beyond the window, padding would push real tokens out of it.
    """
    size = getattr(model.config.get_text_config(), "sliding_window", None)
    return int(size) if size and SLIDING in _attends(model) else UNLIMITED


def _attends(model: Any) -> set[str]:
    config = model.config.get_text_config()
    slides = SLIDING if getattr(config, "sliding_window", None) else "full_attention"
    return set(getattr(config, "layer_types", None) or {slides})


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
        images: Images | None = None,
        branches: int = 0,
    ) -> None:
        self.model = model
        self.pad = pad
        self.counters = counters
        self.images = images
        self.positions = Positions(images.positions) if images is not None and images.counts_otherwise else None
        self.window = window(model)
        self.kept: LRUCache[Path, Layers] = LRUCache(limit, getsizeof=size)
        self.branches = Branches(branches)

    def forget(self) -> None:
        """Drop everything kept."""
        self.branches.clear()
        self.kept.clear()
        if self.positions is not None:
            self.positions.forget()

    def fits(self, prompts: Sequence[Prompt], new: int) -> bool:
        """Return whether `prompts`, padded between their segments, and `new` tokens more stay within the window."""
        depth = max((len(prompt.trunk) for prompt in prompts), default=0)
        levels = [max(len(p.trunk[d].ids) for p in prompts if len(p.trunk) > d) for d in range(depth)]
        longest = max((len(prompt.rest.ids) for prompt in prompts), default=0)
        return sum(levels) + longest + new <= self.window

    def set_aside(self) -> Aside:
        """Return everything kept, in CPU memory, and keep nothing; positions are counted again."""
        if self.positions is not None:
            self.positions.forget()
        return set_aside(taken(self.kept)), set_aside(taken(self.branches))

    def take_back(self, kept: Aside) -> None:
        """Keep what was set aside again, each tensor on its device."""
        for path, layers in take_back(kept[0]):
            self.kept[path] = layers
        for key, branch in take_back(kept[1]):
            self.branches.put(key, branch)

    @torch.inference_mode()
    def start(self, prompts: Sequence[Prompt], new: int = 0) -> Started:
        """Read `prompts` to their ends, what they share from what is kept or once for all of them.

        Where attention slides, they must fit with the `new` tokens that will be written after them (`fits`).
        """
        held = self._hold([prompt.trunk for prompt in prompts])
        distinct = {prompt: row for row, prompt in enumerate(dict.fromkeys(prompts))}
        known = [self.branches.longest(prompt) for prompt in distinct]
        # Beginnings of different lengths mean more padding than `fits` counts.
        if _places(distinct, [length for length, _ in known]) + new > self.window:
            known = [(0, ())] * len(distinct)
        before, segments, starts = [], [], []
        for prompt, (length, shared) in zip(distinct, known, strict=True):
            before.append([*(held[prompt.trunk[: d + 1]] for d in range(len(prompt.trunk))), *shared])
            segments.append(Segment(prompt.rest.ids[length:], prompt.rest.images))
            starts.append(self._after(prompt.trunk) + length)
        started = self._forward(before, segments, starts)
        if self.branches.maxsize:
            for row, (prompt, (_, shared)) in enumerate(zip(distinct, known, strict=True)):
                self.branches.keep(prompt, shared, _cut(started.cache, row, len(segments[row].ids)))
        self.counters.unshared_prefill_tokens += sum(prompt.length for prompt in prompts)
        if len(distinct) == len(prompts):
            return started
        return started.rows(torch.tensor([distinct[prompt] for prompt in prompts], device=started.logits.device))

    def _after(self, path: Path) -> int:
        return 0 if self.positions is None else self.positions.after(path)

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
        starts = [self._after(path[:-1]) for path in paths]
        cache = self._forward(before, [path[-1] for path in paths], starts).cache
        return {path: _cut(cache, row, len(path[-1].ids)) for row, path in enumerate(paths)}

    def _forward(
        self, before: Sequence[Sequence[Layers]], segments: Sequence[Segment], starts: Sequence[int]
    ) -> Started:
        """Run each segment after the segments `before` it, left-padded between the two."""
        device = self.model.device
        longest = max(len(segment.ids) for segment in segments)
        ids = torch.tensor([[self.pad] * (longest - len(s.ids)) + list(s.ids) for s in segments], device=device)
        here = torch.tensor([[0] * (longest - len(s.ids)) + [1] * len(s.ids) for s in segments], device=device)
        cache, there = _joined(before)
        mask = torch.cat([there.to(device), here], dim=1)
        if self.positions is None:
            positions, after = (mask.cumsum(-1) - 1).clamp(min=0)[:, -longest:], mask.sum(-1)
        else:
            positions, after = (part.to(device) for part in self.positions.rows(starts, segments, longest))
        self.counters.prefill_tokens += int(here.sum())
        out = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **(self.images.inputs(segments, ids, there.shape[1]) if self.images else {}),
        )
        return Started(out.logits[:, -1], cache, mask, after)


def _places(prompts: Iterable[Prompt], known: Sequence[int]) -> int:
    """Return the places that a batch takes, whose rows are padded after the `known` tokens of their rests."""
    before = [prompt.length - len(prompt.rest.ids) + length for prompt, length in zip(prompts, known, strict=True)]
    after = [len(prompt.rest.ids) - length for prompt, length in zip(prompts, known, strict=True)]
    return max(before) + max(after)


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
