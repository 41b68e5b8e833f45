"""POVID's second stage (arXiv 2402.11411) offline: the gold answer against what the policy writes of a noised image.

The released code takes the most probable token of each position under noise at every step of training (the objective
`povid_noise`). Here the policy writes one greedy answer of the noised image before training; rows and trainer stay
plain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from clincot.methods.base import Draw, Tools
from clincot.methods.candidates import candidate_of, missing
from clincot.methods.direct import direct_ask, direct_pair, gold_of, usable
from clincot.methods.pairing import CUT
from clincot.methods.text_key import text_key
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example, whole
from clincot.records.pairs import Pair


@dataclass(frozen=True)
class PovidLiteConfig:
    """The noise. `strength`: the step of its schedule / 1000."""

    strength: Annotated[float, Range(0, 1, above=True)] = 0.5  # POVID's code: t = 500


class PovidLite:
    """A policy that does not look writes the same with and without noise: its answers teach it to look."""

    name, title, paper = "povid_lite", "POVID-style (stage 2, offline)", "arXiv 2402.11411"
    Config = PovidLiteConfig
    on_policy = True
    needs: frozenset[str] = frozenset()
    draws_by = frozenset({"cut_texts"})

    def __init__(self, config: PovidLiteConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Let the policy answer about the noised images, greedily."""
        strength, seed = self.config.strength, tools.seed(example.id, "noise")
        noised = tuple(replace(view, kind="diffusion_noise", strength=strength, seed=seed) for view in whole(example))
        ask = direct_ask(example, tools.recipe, tools.seed(example.id), temperature=0.0, views=noised)
        (text,) = await tools.generate(example, [ask])
        misled = candidate_of(example, 0, ask, text)
        if misled is None:
            tools.drop(missing("answers", text))
            return []
        return [gold_of(example), misled]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the gold answer; both texts are scored with the clean image, as in POVID's code."""
        gold, misled = candidates
        if not usable(misled, draw):
            draw.drop(CUT)
        elif text_key(gold.text) == text_key(misled.text):
            draw.drop("gold answers that the policy gives under noise")
        else:
            return [direct_pair(self.name, example, draw.recipe, gold, misled)]
        return []

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        return (
            "Preferred: the gold answer. Rejected: what the round's policy writes (greedily) of the image under"
            f" diffusion noise, at step {1000 * self.config.strength:g} of 1,000 of POVID's schedule.",
            "Both texts are trained with the clean image.",
            "Unlike POVID: the rejected text is written once before training, not at every step, and there is no pair"
            " with an edited answer.",
        )
