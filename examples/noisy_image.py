"""POVID's second stage (arXiv 2402.11411), offline: the gold answer against what the policy writes of a noised image.

Its pairs have no scores and no crops: run it with `--set train.margin.kind=none --set train.conditioning=per_side`, and
`--set method=./examples/noisy_image.py:NoisyImage`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from clincot.chain.steps import direct_question
from clincot.methods.base import Ask, Draw, Tools
from clincot.methods.candidates import candidate_of
from clincot.methods.text_key import text_key
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example, View, whole
from clincot.records.pairs import Pair, Side


@dataclass(frozen=True)
class Config:
    """POVID's noise: step 500 of 1000. `scored_with`: the image that the rejected text is scored with."""

    strength: Annotated[float, Range(0, 1)] = 0.5  # POVID's code
    scored_with: Literal["clean", "noised"] = "clean"  # POVID's code scores the noised text under the clean image


class NoisyImage:
    """A policy that does not look writes the same with and without noise: no pair, counted."""

    name, title, paper = "noisy_image", "POVID-style (stage 2, offline)", "arXiv 2402.11411"
    Config, on_policy = Config, True
    needs: frozenset[str] = frozenset()

    def __init__(self, config: Config) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        build, report = tools.recipe.build, example.answer_type == "report"
        length = build.report_tokens if report else build.max_new_tokens
        noise = View("diffusion_noise", strength=self.config.strength, seed=tools.seed(example.id, "noise"))
        noised = tuple(replace(noise, image=clean.image) for clean in whole(example))
        prompt = direct_question(example, tools.recipe.image_layout)
        # Greedy: POVID takes the most probable token of every position under noise.
        ask = Ask(prompt, noised, 0.0, 1.0, length, tools.seed(example.id))
        (text,) = await tools.generate(example, [ask])
        misled = candidate_of(example, 1, ask, text)
        gold = Candidate(f"{example.id}/1/0", example.id, 1, example.answer, None, (), None, None, source="gold")
        return [gold] if misled is None else [gold, misled]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        gold, misled = candidates[0], candidates[-1]
        if misled.cut or text_key(gold.text) == text_key(misled.text):
            draw.drop("questions answered alike under noise, or at too great a length")
            return []
        prompt, group = direct_question(example, draw.recipe.image_layout), f"{example.id}/1"
        same, images = self.config.scored_with == "clean", whole(example)
        shared, clean, noised = (images, (), ()) if same else ((), images, misled.views)
        sides = Side.of(gold, shared, clean), Side.of(misled, shared, noised)
        return [Pair(f"{group}/0", example.id, 1, self.name, prompt, shared, *sides, group)]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        clean = self.config.scored_with == "clean"
        return (
            "Preferred: the gold answer. Rejected: what the round's policy writes (greedily) of the image under"
            f" diffusion noise, at step {1000 * self.config.strength:g} of 1,000 of POVID's schedule.",
            f"In training the rejected text has the {'clean' if clean else 'noised'} image, the preferred one"
            " the clean one.",
            "Unlike POVID: the rejected text is written once before training, not at every step.",
        )
