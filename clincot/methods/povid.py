"""POVID (arXiv 2402.11411), the pairs of both stages: the gold answer against a version of it with made-up errors.

Stage 1 trains them by plain DPO (`recipes/povid.yaml`). Stage 2 starts from the merged model of stage 1, and adds the
text that the policy believes under image noise, at every step of training: the objective `povid_noise`
(`recipes/povid-stage-2.yaml`), which reads the same pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from clincot.methods.base import Draw, Tools
from clincot.methods.direct import direct_pair, gold_of, wrong_version
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example
from clincot.records.pairs import Pair


@dataclass(frozen=True)
class PovidConfig:
    """The editor's task. `changes`: places of a text that are made wrong, at most; a short answer has one."""

    changes: Annotated[int, Range(1, 100)] = 3  # ours: POVID asks GPT-4V for "hallucinations", without a number


class Povid:
    """The preferred text is the gold answer; an editor writes the rejected one, so nothing is sampled or rated."""

    name, title, paper = "povid", "POVID-style", "arXiv 2402.11411"
    Config = PovidConfig
    on_policy = False
    needs = frozenset({"editor"})
    draws_by: frozenset[str] = frozenset()

    def __init__(self, config: PovidConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Ask the editor for a wrong version of the gold answer."""
        wrong = await wrong_version(example, tools, self.config.changes)
        return [] if wrong is None else [gold_of(example), wrong]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the gold answer to the wrong version."""
        gold, wrong = candidates
        return [direct_pair(self.name, example, draw.recipe, gold, wrong)]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        places = "one place" if self.config.changes == 1 else f"up to {self.config.changes} places"
        return (
            f"Preferred: the gold answer. Rejected: a version of it that an editor made wrong in {places}.",
            "Unlike POVID: the editor is not GPT-4V and sees no image, and the texts are medical.",
        )
