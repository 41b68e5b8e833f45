"""Requests and the names of their images -> the order in which a server with a prefix cache reads least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from clincot.records import Message

Order = Callable[[Sequence[Any], Sequence[Sequence[str]]], list[int]]
Part = tuple[int, int | str]


class PrefixOrder:
    """The order of each call of an engine; every second call goes backwards.

    So a server whose cache has no room for all that a shard's prompts begin with finds what came last, instead of
    reading all of it again.
    """

    def __init__(self) -> None:
        self._backwards = True

    def __call__(self, requests: Sequence[Any], names: Sequence[Sequence[str]]) -> list[int]:
        """Return the places of `requests`, as `prefix_order` does, or from the last to the first."""
        order, self._backwards = prefix_order(requests, names), not self._backwards
        return order[::-1] if self._backwards else order


def prefix_order(requests: Sequence[Any], names: Sequence[Sequence[str]]) -> list[int]:
    """Return the places of `requests` such that those whose prompts begin alike follow one another.

    `names` are those of each request's `images`, by content. Images come in the order in which they first appear, texts
    in that of their letters: for ClinCoT image, then region, then question, then findings. What two requests share at
    the beginning, they share with all between them: within a call a cache loses nothing that has room for one prompt.
    """
    ranks: dict[str, int] = {}
    for own in names:
        for name in own:
            ranks.setdefault(name, len(ranks))
    keys = [tuple(_parts(request.messages, own, ranks)) for request, own in zip(requests, names, strict=True)]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _parts(messages: Sequence[Message], names: Sequence[str], ranks: dict[str, int]) -> Iterator[Part]:
    """Yield what a prompt is made of, in order; texts and images compare by their kind first."""
    left = iter(names)
    for message in messages:
        yield 0, str(message["role"])
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            yield (1, ranks[next(left)]) if block["type"] == "image" else (0, str(block["text"]))
