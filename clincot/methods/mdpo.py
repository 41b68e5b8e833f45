"""mDPO (arXiv 2406.11839): a pair of texts, a pair of images and an anchor for each question.

The objective `image_preference` adds up DPO over the pairs of texts, DPO over the pairs of images (CoPO, copo.py), and
the anchor -log sigmoid(beta * log(pi / pi_ref) - delta) of the preferred text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from clincot.methods.base import Draw, Tools
from clincot.methods.copo import Copo, CopoConfig
from clincot.methods.direct import direct_pair, wrong_version
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example
from clincot.records.pairs import Pair


@dataclass(frozen=True)
class MdpoConfig(CopoConfig):
    """As CoPO's, and `changes`: places that the editor makes wrong in the rejected text, at most."""

    changes: Annotated[int, Range(1, 100)] = 3  # ours: mDPO takes pairs of texts that others rated


class Mdpo(Copo):
    """CoPO's pair of images with a pair of texts: the gold answer against an editor's wrong version."""

    name, title = "mdpo", "mDPO-style"
    Config = MdpoConfig
    needs = frozenset({"editor"})

    def __init__(self, config: MdpoConfig) -> None:
        super().__init__(config)
        self.changes = config.changes

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Add a wrong version of the gold answer to what CoPO takes."""
        of_images = await super().sample(example, tools)
        if not of_images:
            return []
        wrong = await wrong_version(example, tools, self.changes)
        return of_images if wrong is None else [*of_images, wrong]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the gold answer to its wrong version, and its image to a damaged copy."""
        gold, damaged, *wrong = candidates
        texts = [direct_pair(self.name, example, draw.recipe, gold, one, place=1) for one in wrong]
        return [*super().pair(example, (gold, damaged), draw), *texts]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        places = "one place" if self.changes == 1 else f"up to {self.changes} places"
        return (
            f"Text pairs: the gold answer is preferred to a version of it that an editor made wrong in {places}, both"
            " with the image.",
            self._of_images(),
            "Unlike mDPO: the pairs of texts are not rated answers of other models, and texts and images are medical.",
        )
