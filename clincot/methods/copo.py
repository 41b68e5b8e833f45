"""CoPO, mDPO's image preference (arXiv 2406.11839): the gold answer with its image against it with a damaged one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from clincot.methods.base import Draw, Tools
from clincot.methods.direct import direct_pair, gold_of
from clincot.recipe.ranges import Range
from clincot.records import Box, Candidate, Example, Region, View, whole
from clincot.records.pairs import Pair

Corruption = Literal["crop", "diffusion_noise", "low_pass", "black"]
SAID = {
    "crop": "a random crop of at most {:.0%} of the image",
    "diffusion_noise": "the image under diffusion noise, at step {:.0%} of POVID's schedule",
    "low_pass": "the image at {:.0%} of its width and height, scaled up again",
    "black": "a black image",
}


@dataclass(frozen=True)
class CopoConfig:
    """How the image of the rejected side is damaged.

    `strength`: of a crop the largest share of the image's area, of noise the step of the diffusion / 1000, of a low
    pass the share of the sides that is kept; a black image has none.
    """

    corruption: Corruption = "crop"  # mDPO (from memory, unverified)
    strength: Annotated[float, Range(0, 1, above=True)] = 0.2  # mDPO (from memory, unverified): 0 to 20 % of the image


class Copo:
    """Both texts are the gold answer: only the image can make one of them the better one."""

    name, title, paper = "copo", "CoPO-style (image preference of mDPO)", "arXiv 2406.11839"
    Config: type = CopoConfig
    on_policy = False
    needs: frozenset[str] = frozenset()
    draws_by: frozenset[str] = frozenset()

    def __init__(self, config: CopoConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Take the gold answer with its images, and with damaged ones."""
        if not example.answer.strip():
            tools.drop("questions without a gold answer")
            return []
        gold = replace(gold_of(example), views=whole(example))
        return [gold, replace(gold, id=f"{example.id}/1/damaged", views=self._damaged(example, tools))]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the image to its damaged copy."""
        gold, damaged = candidates
        return [direct_pair(self.name, example, draw.recipe, gold, damaged, own=(gold.views, damaged.views))]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        return (
            self._of_images(),
            "Unlike mDPO: texts and images are medical, and the preferred text is the gold answer.",
        )

    def _of_images(self) -> str:
        damaged = SAID[self.config.corruption].format(self.config.strength)
        return f"Image pairs: the gold answer is both texts; preferred with the image, rejected with {damaged}."

    def _damaged(self, example: Example, tools: Tools) -> tuple[View, ...]:
        """Return the views of damaged images; a crop is of the primary image, and the others stay whole."""
        kind, strength, seed = self.config.corruption, self.config.strength, tools.seed(example.id, "damage")
        views = whole(example)
        if kind != "crop":
            return tuple(replace(view, kind=kind, strength=strength, seed=seed) for view in views)
        region = Region("random crop", _random_box(tools.size(example), strength, random.Random(seed)), 0.0)
        return (View("crop", region), *views[1:])


def _random_box(size: tuple[int, int], most: float, draw: random.Random) -> Box:
    """Return a box of the image's shape and at most that share of its area, but of a pixel at least."""
    side = (most * draw.random()) ** 0.5
    width, height = (max(1, round(length * side)) for length in size)
    left, upper = draw.randint(0, size[0] - width), draw.randint(0, size[1] - height)
    return Box(left, upper, left + width, upper + height)
