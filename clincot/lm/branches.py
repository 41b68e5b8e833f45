"""Texts read after a trunk -> the longest beginning that a new text has in common with one of them.

Candidates, look-ahead samples and the next step of a chain repeat question and findings after the same trunk: their
beginnings are computed once, as a radix tree would have it, by looking at the neighbours in sorted order.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass

from cachetools import LRUCache
from torch import Tensor

from clincot.lm.segments import Prompt, Segment

Path = tuple[Segment, ...]
Layers = tuple[tuple[Tensor, Tensor], ...]  # per layer: keys, values (heads, tokens of one stretch, width)
Ids = tuple[int, ...]


@dataclass(frozen=True)
class Branch:
    """The keys and values of a text, in stretches; `own` bytes of them are not a part of an older branch."""

    stretches: tuple[Layers, ...]
    own: int


class Branches(LRUCache[tuple[Path, Ids], Branch]):
    """The texts of each trunk, the least recently used dropped beyond `limit` bytes; 0 keeps nothing."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, getsizeof=lambda branch: branch.own)
        self._sorted: dict[Path, list[Ids]] = {}

    def clear(self) -> None:
        """Drop everything kept."""
        super().clear()
        self._sorted.clear()

    def popitem(self) -> tuple[tuple[Path, Ids], Branch]:
        """Drop the least recently used."""
        (trunk, ids), branch = super().popitem()
        self._sorted[trunk].remove(ids)
        return (trunk, ids), branch

    def longest(self, prompt: Prompt) -> tuple[int, tuple[Layers, ...]]:
        """Return how many tokens of the rest are known, never all of them, and their keys and values."""
        ids, known = prompt.rest.ids, self._sorted.get(prompt.trunk, [])
        # Placeholders of different images have equal ids.
        if prompt.rest.images or not known:
            return 0, ()
        place = bisect_left(known, ids)
        near = [(_common(ids, other), other) for other in known[max(place - 1, 0) : place + 1]]
        length, other = max(near, key=lambda found: found[0])
        length = min(length, len(ids) - 1)  # the last token's logits are wanted
        if not length:
            return 0, ()
        return length, _first(self[prompt.trunk, other].stretches, length)

    def put(self, key: tuple[Path, Ids], branch: Branch) -> None:
        """Remember a branch under its trunk and ids."""
        self[key] = branch
        insort(self._sorted.setdefault(key[0], []), key[1])

    def keep(self, prompt: Prompt, shared: tuple[Layers, ...], new: Layers) -> None:
        """Remember the rest of `prompt`: what it `shared` and what was computed for it."""
        key, own = (prompt.trunk, prompt.rest.ids), size(new)
        if own > self.maxsize or prompt.rest.images or key in self:
            return
        self.put(key, Branch((*shared, new), own))


def size(layers: Layers) -> int:
    """Return the bytes of keys and values."""
    return sum(keys.nbytes + values.nbytes for keys, values in layers)


def _common(a: Ids, b: Ids) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _first(stretches: tuple[Layers, ...], length: int) -> tuple[Layers, ...]:
    taken: list[Layers] = []
    for layers in stretches:
        if length <= 0:
            break
        there = layers[0][0].shape[1]
        # A view: the branch that it is a part of holds the memory anyway.
        taken.append(layers if there <= length else tuple((k[:, :length], v[:, :length]) for k, v in layers))
        length -= there
    return tuple(taken)
