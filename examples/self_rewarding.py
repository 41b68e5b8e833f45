"""Self-Rewarding (arXiv 2401.10020) in one file: the policy writes four texts, rates them itself, best against worst.

Run it with `--set method=./examples/self_rewarding.py:SelfRewarding` and the policy as its own judge, which writes its
ratings (`--set 'models.judges=[{kind: policy_itself}]' --set build.judging.scoring=generated`). The paper trains by
plain DPO (`--set train.margin.kind=none`), and there are no crops (`--set train.conditioning=per_side`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from clincot.chain.prompts import Rubric
from clincot.chain.steps import direct_question
from clincot.methods.base import Ask, Draw, Rate, Tools
from clincot.methods.candidates import candidate_of
from clincot.methods.direct import direct_pair, usable
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example, JudgeScore, whole
from clincot.records.pairs import Pair

RUBRIC = Rubric(  # ours, after the paper's additive five points; the gold answer is not shown
    "The statement answers the question.",
    "Add a point for each that holds: it is relevant; it covers much of what was asked; it answers the basics; it is"
    " clear and helpful; it is of expert quality. Reply with one digit, the sum of points from 0 to 5.",
    "Is it relevant, helpful and of expert quality? Reply yes or no.",
)


@dataclass(frozen=True)
class Config:
    """How the texts are sampled (paper, Section 3)."""

    texts: Annotated[int, Range(2, 1000)] = 4
    temperature: Annotated[float, Range(0, 10)] = 0.7
    top_p: Annotated[float, Range(0, 1, above=True)] = 0.9


class SelfRewarding:
    """The policy is its own judge; what it rates alike is no pair."""

    name, title, paper = "self_rewarding", "Self-Rewarding-style", "arXiv 2401.10020"
    Config, on_policy = Config, True
    needs = frozenset({"judges"})

    def __init__(self, config: Config) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        config, build = self.config, tools.recipe.build
        length = build.report_tokens if example.answer_type == "report" else build.max_new_tokens
        prompt, shown = direct_question(example, tools.recipe.image_layout), whole(example)
        seeds = [tools.seed(example.id, i) for i in range(config.texts)]
        asks = [Ask(prompt, shown, config.temperature, config.top_p, length, seed) for seed in seeds]
        texts = await tools.generate(example, asks)
        made = [candidate_of(example, i, *both) for i, both in enumerate(zip(asks, texts, strict=True))]
        written = [candidate for candidate in made if candidate is not None]
        ratings = await tools.judge([Rate(example, candidate.text, rubric=RUBRIC) for candidate in written])
        own = [JudgeScore(tools.judge_names[0], r.value, None, r.value, r.mass) for r, *_ in ratings]
        return [replace(c, judge_scores=(s,), score=s.total) for c, s in zip(written, own, strict=True)]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        rated = [c for c in candidates if c.score is not None and usable(c, draw)]
        draw.drop("texts that are cut or could not be rated", len(candidates) - len(rated))
        best, worst = (choose(rated, key=lambda c: c.score or 0.0, default=None) for choose in (max, min))
        if best is None or worst is None or best.score == worst.score:
            draw.drop("questions whose texts are rated alike")
            return []
        return [direct_pair(self.name, example, draw.recipe, best, worst)]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        config = self.config
        return (
            f"The round's policy wrote {config.texts} texts to each question (temperature {config.temperature:g}, top-p"
            f" {config.top_p:g}) and rated them itself by five additive points, without the gold answer.",
            "The text with the highest rating is preferred to the one with the lowest; equal ratings are no pair.",
            "Unlike the paper: prompts and rubric are ours, and each text is rated once.",
        )
