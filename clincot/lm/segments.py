"""Token ids of a prompt -> the segments that other prompts may share, and an order in which sharers are neighbours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """Consecutive token ids and, by content, the images that fill the placeholders among them."""

    ids: tuple[int, ...]
    images: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """Token ids as `trunk` segments (each ends after an image) and the rest; never an empty rest."""

    trunk: tuple[Segment, ...]
    rest: Segment

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(i for segment in (*self.trunk, self.rest) for i in segment.ids)

    @property
    def length(self) -> int:
        return sum(len(segment.ids) for segment in (*self.trunk, self.rest))

    @property
    def order(self) -> tuple[object, ...]:
        """Sort key by content alone: lengths first, then what could share a trunk side by side."""
        lengths = tuple(len(segment.ids) for segment in self.trunk)
        keys = tuple((segment.images, segment.ids) for segment in self.trunk)
        return (len(lengths), lengths, keys, len(self.rest.ids), self.rest.images, self.rest.ids)
