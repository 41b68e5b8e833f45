"""What a model keeps of a shard, on its device -> the same in CPU memory and back, while other shards have their turn.

Bit for bit: what is kept decides last digits, so it is moved and not computed again (docs/scale.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from cachetools import LRUCache
from torch import Tensor

K = TypeVar("K")
V = TypeVar("V")
Entries = list[tuple[K, V]]
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Away:
    """A tensor of the device `home` while its memory is in CPU memory; tensors may share one memory."""

    memory: Tensor = field(repr=False)
    home: torch.device
    size: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int


def taken(cache: LRUCache[K, V]) -> Entries[K, V]:
    """Take everything out of a cache, the least recently used first: put back in this order, it is the same cache."""
    return [cache.popitem() for _ in range(len(cache))]


def set_aside(entries: Entries[K, V], *, of_cpu: bool = False) -> Entries[K, Any]:
    """Return entries with their tensors (in tuples, lists, mappings, dataclasses) in CPU memory, as `Away`.

    A branch is often a part of another: what shares memory goes once, and shares it again afterwards. Tensors of the
    CPU stay as they are unless `of_cpu` (a test).
    """
    done: dict[int, Tensor] = {}

    def leave(value: Any) -> Any:
        if not isinstance(value, Tensor) or (value.device.type == CPU.type and not of_cpu) or not value.numel():
            return value
        memory = value.untyped_storage()
        if memory.data_ptr() not in done:
            whole = torch.as_strided(value, (memory.nbytes() // value.itemsize,), (1,), 0)
            done[memory.data_ptr()] = whole.to(CPU, copy=True)
        whole = done[memory.data_ptr()]
        return Away(whole, value.device, tuple(value.size()), value.stride(), int(value.storage_offset()))

    return [(key, _each(value, leave)) for key, value in entries]


def take_back(entries: Entries[K, Any]) -> Entries[K, Any]:
    """Return what `set_aside` made with every tensor on its device again."""
    done: dict[int, Tensor] = {}

    def back(value: Any) -> Any:
        if not isinstance(value, Away):
            return value
        if id(value.memory) not in done:
            done[id(value.memory)] = value.memory.to(value.home)
        return torch.as_strided(done[id(value.memory)], value.size, value.stride, value.offset)

    return [(key, _each(value, back)) for key, value in entries]


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply `change` to everything inside of `value`."""
    if isinstance(value, (tuple, list)):
        return type(value)(_each(one, change) for one in value)
    if isinstance(value, dict):
        return {name: _each(one, change) for name, one in value.items()}
    if is_dataclass(value) and not isinstance(value, (type, Away)):
        return replace(value, **{f.name: _each(getattr(value, f.name), change) for f in fields(value) if f.init})
    return change(value)
