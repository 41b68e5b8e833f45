"""Any image and hypothesis -> the middle of the image: a control that every grounder must beat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clincot.regions._drawn import box_map
from clincot.regions.base import HeatMap, Subject

SHARE = 0.5  # of each side


class Center:
    """The central box, half of each side long, for every hypothesis."""

    name = "center"
    known: tuple[str, ...] | None = None

    def __init__(self, key: str) -> None:
        self.key = key

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None, *, key: str | None = None) -> Center:
        """Need no folder; `key` defaults to what the boxes depend on."""
        return cls(key or f"center-{SHARE}")

    def heat_maps(self, subjects: Sequence[Subject], hypotheses: Sequence[Sequence[str]]) -> list[list[HeatMap]]:
        """Return the same map for all, with confidence 0.5."""
        edges = ((1 - SHARE) / 2, (1 + SHARE) / 2)
        return [
            [box_map(name, edges[0], edges[0], edges[1], edges[1]) for name in wanted]
            for _, wanted in zip(subjects, hypotheses, strict=True)
        ]
