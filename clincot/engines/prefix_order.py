"""Chat messages of many requests -> the order in which a server with a prefix cache reads least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from clincot.records import Message

Asked = Sequence[Sequence[Message]]  # per request its turns, images as `image_url` blocks
Order = Callable[[Asked], list[int]]
Part = tuple[int, int | str]


class PrefixOrder:
    """The order of each call of an engine; every second call goes backwards.

    So a server whose cache has no room for all that a shard's prompts begin with finds what came last, instead of
    reading all of it again.
    """

    def __init__(self) -> None:
        self._backwards = True

    def __call__(self, asked: Asked) -> list[int]:
        """Return the places of the requests, as `prefix_order` does, or from the last to the first."""
        order, self._backwards = prefix_order(asked), not self._backwards
        return order[::-1] if self._backwards else order


def prefix_order(asked: Asked) -> list[int]:
    """Return the places of the requests such that those whose prompts begin alike follow one another.

    Images come in the order in which they first appear, texts in that of their letters: for ClinCoT image, then region,
    then question, then findings. What two requests share at the beginning, they share with all between them: within a
    call a cache loses nothing that has room for one prompt.
    """
    ranks: dict[str, int] = {}
    keys = [tuple(_parts(messages, ranks)) for messages in asked]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _parts(messages: Sequence[Message], ranks: dict[str, int]) -> Iterator[Part]:
    """Yield what a prompt is made of, in order; texts and images compare by their kind first."""
    for message in messages:
        yield 0, str(message["role"])
        content = message["content"]
        blocks: Sequence[Message] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            if block["type"] == "image_url":
                yield 1, ranks.setdefault(block["image_url"]["url"], len(ranks))
            else:
                yield 0, str(block["text"])
