"""Segments that follow each other -> the positions of their tokens, where an image counts otherwise than its tokens.

Positions of a segment do not depend on what came before it but for their beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from clincot.lm.segments import Segment


class Positions:
    """Counts positions by `of`, which gives those of one segment (axes, tokens), beginning at 0."""

    def __init__(self, of: Callable[[Segment], Tensor]) -> None:
        self._of = of
        self._known: dict[Segment, Tensor] = {}

    def forget(self) -> None:
        """Drop everything kept."""
        self._known.clear()

    def after(self, path: Sequence[Segment]) -> int:
        """Return the position that follows the segments of `path`."""
        return sum(int(self._own(segment).max()) + 1 for segment in path)

    def rows(self, starts: Sequence[int], segments: Sequence[Segment], longest: int) -> tuple[Tensor, Tensor]:
        """Return positions, padded on the left, and the next position (rows,) of each row.

        Their shape is (axes, rows, `longest`); (rows, `longest`) where no segment has images.
        """
        own = [self._own(segment) + start for segment, start in zip(segments, starts, strict=True)]
        axes = max(len(part) for part in own)
        padded = [torch.nn.functional.pad(part.expand(axes, -1), (longest - part.shape[1], 0)) for part in own]
        found = torch.stack(padded, dim=1)
        return found if axes > 1 else found[0], torch.stack([part.max() + 1 for part in own])

    def _own(self, segment: Segment) -> Tensor:
        if not segment.images:
            return torch.arange(len(segment.ids))[None]
        if segment not in self._known:
            self._known[segment] = self._of(segment)
        return self._known[segment]
