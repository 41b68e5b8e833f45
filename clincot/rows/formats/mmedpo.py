"""MMedPO's released JSON: LLaVA's rows with a weight on each, `weighted_score`."""

from __future__ import annotations

from clincot.rows.formats.llava import Llava


class MMedPO(Llava):
    """Weights are kept: the loss is weight x DPO. What is known to be wrong in the released rows is left out."""

    name, title = "mmedpo", "MMedPO's format"
    needs = (frozenset({"conversations", "rejected_conversations", "weighted_score"}),)
    knows = frozenset({"image", "id"})
    weight = "weighted_score"
    leaks = True
