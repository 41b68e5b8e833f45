"""Prompts in the order in which they arrive -> the tokens that a server reads whose prefix cache has full blocks.

As vLLM does it: a prompt takes what is known of the blocks that it begins with and reads the rest, its last token
always. What it reads is known to the next prompt, also within one step of the server. Where room ends, what was used
longest ago goes first, and of one prompt its end before its beginning.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence

Prompt = Sequence[Hashable]  # tokens; those of an image name it


class BlockCache:
    """A cache of `room` blocks of `block` tokens each, without limit where `room` is 0."""

    def __init__(self, block: int, room: int = 0) -> None:
        self.block = block
        self.room = room
        self._kept: OrderedDict[int, None] = OrderedDict()

    def read(self, prompt: Prompt) -> int:
        """Return how many tokens of `prompt` are read; its full blocks are kept."""
        names, name = [], 0
        for start in range(0, len(prompt) - self.block + 1, self.block):
            name = hash((name, *prompt[start : start + self.block]))
            names.append(name)
        known = 0
        for name in names[: (len(prompt) - 1) // self.block]:
            if name not in self._kept:
                break
            known += 1
        for name in reversed(names):
            self._kept[name] = None
            self._kept.move_to_end(name)
        while self.room and len(self._kept) > self.room:
            self._kept.popitem(last=False)
        return len(prompt) - known * self.block


def tokens_read(prompts: Iterable[Prompt], block: int, room: int = 0) -> int:
    """Return the tokens that are read of `prompts`, one after another; see BlockCache for `block` and `room`."""
    cache = BlockCache(block, room)
    return sum(map(cache.read, prompts))


def share_saved(read: int, prompts: Sequence[Prompt], block: int) -> float:
    """Return what a server that read `read` tokens saved, by what a cache without limit saves of `prompts`."""
    whole = sum(map(len, prompts))
    return (whole - read) / (whole - tokens_read(prompts, block))
