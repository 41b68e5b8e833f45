"""MMedPO's released JSON: LLaVA's rows with a weight on each, `weighted_score`."""

from __future__ import annotations

from typing import Any

from clincot.rows.formats.base import OtherPair
from clincot.rows.formats.llava import Llava


class MMedPO(Llava):
    """Weights are kept: the loss is weight x DPO. What is known to be wrong in the released rows is left out."""

    name, title = "mmedpo", "MMedPO's format"
    needs = (frozenset({"conversations", "rejected_conversations", "weighted_score"}),)
    knows = frozenset({"image", "id"})
    weight = "weighted_score"
    leaks = True

    def write(self, pair: OtherPair, number: int) -> dict[str, Any]:
        return {self.weight: 1.0} | super().write(pair, number)
