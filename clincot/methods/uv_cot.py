"""UV-CoT (arXiv 2504.18397): the policy writes boxes, then answers with the best box's crop; a critic rates both steps.

s = s_cur + gamma * s_nxt: a box's own rating, and the mean rating of answers that saw its crop. Pairs are drawn at
random among the texts of a step, and the best box goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated, Any

from clincot.chain.prompts import Rubric, policy_messages
from clincot.chain.steps import views_of
from clincot.judges.lookahead import expected, total
from clincot.methods._steps import Steps
from clincot.methods.base import Ask, Draw, Rate, Tools
from clincot.methods.candidates import candidate_of, missing
from clincot.methods.pairing import PairScope, choose_pairs
from clincot.methods.scoring import best_of
from clincot.methods.uv_cot_boxes import box_of
from clincot.recipe.ranges import Range
from clincot.records import WHOLE, Candidate, Example, JudgeScore, Message, Region
from clincot.records.pairs import Pair, Side

BOX, ANSWER = 1, 2  # the steps
ASK_FOR_BOX = (  # ours, after UV-CoT's question for the box that helps to answer
    "Give the box of the region that helps to answer the question, as [left, upper, right, lower] between 0 and 1."
)
RATE_BOX = Rubric(  # ours
    "The statement is a box; the second image shows what lies in it.",
    "Rate whether it shows what is needed to answer the question. Reply with one digit from 0 (no part of it) to 9 (all"
    " of it).",
    "Does the second image show what is needed to answer the question? Reply yes or no.",
)
OF_POLICY = "box of the policy"  # in place of a hypothesis: no proposer looked for it


@dataclass(frozen=True)
class UvCotConfig:
    """How many texts a step has, how they are scored, and which are pairs.

    `samples`: boxes, and then answers with the best box. `next_samples`: answers behind each box. `weight`: what the
    preference of a pair counts in the loss.
    """

    samples: Annotated[int, Range(2, 1000)] = 10  # UV-CoT's code: --repeat 10
    temperature: Annotated[float, Range(0, 10, above=True)] = 0.7  # UV-CoT's code
    top_p: Annotated[float, Range(0, 1, above=True)] = 1.0  # ours
    gamma: Annotated[float, Range(0, 10)] = 0.5  # ours: UV-CoT's number is unknown
    next_samples: Annotated[int, Range(1, 1000)] = 1  # UV-CoT's code: --repeat 1
    normalise: bool = True  # ours: divided by 1 + gamma, so that scores stay in [0, 1]
    pairs_per_step: Annotated[int, Range(1, 100_000)] = 2  # UV-CoT's code: sample_num 2
    min_gap: Annotated[float, Range(0, 1)] = 0.05  # ours: UV-CoT asks for one false fact more
    weight: Annotated[float, Range(0, 1)] = 1.0  # UV-CoT's paper; its released code: 0.1, with 0.9 of the NLL
    pair_scope: PairScope = "any"  # UV-CoT: pairs of any two texts of a step

    @property
    def scores_in_range(self) -> bool:
        """Return whether scores lie in [0, 1]."""
        return self.normalise or not self.gamma


class UvCot:
    """The critic sees the image and the crop, and no gold answer unless the recipe's context is `reference`."""

    name, title, paper = "uv_cot", "UV-CoT-style", "arXiv 2504.18397"
    Config = UvCotConfig
    on_policy = True
    needs = frozenset({"critic"})
    draws_by = frozenset({"cut_texts"})

    def __init__(self, config: UvCotConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Write and rate boxes, then answers with the crop of the best box."""
        boxes = await self._rate_boxes(example, await self._boxes(example, tools), tools)
        best = best_of([box for box in boxes if not box.cut])
        if best is None:
            tools.drop("chains that stop without a box that the critic could rate")
            return boxes
        answers = await self._answers(example, [best] * self.config.samples, "answer", tools)
        return [*boxes, *await self._rated(example, answers, [()] * len(answers), tools)]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Draw k pairs among the texts of each step."""
        found = []
        draw.drop("candidates that the critic could not rate", sum(one.score is None for one in candidates))
        for step, offered in groupby(candidates, key=lambda candidate: candidate.step):
            group = f"{example.id}/{step}"
            for i, (winner, loser) in enumerate(choose_pairs(group, list(offered), self.config, draw)):
                shared = (WHOLE,) if step == BOX else winner.views
                sides = Side.of(winner, shared, ()), Side.of(loser, shared, ())
                prompt = self._prompt(example, step, winner, draw)
                made = (f"{group}/{i}", example.id, step, self.name, prompt, shared, *sides, group)
                found.append(Pair(*made, weight=self.config.weight))
        return found

    def drawn_by(self, sampled: UvCotConfig) -> UvCotConfig:
        """Return the numbers that a round was sampled by with those of this method that `pair` alone reads."""
        drawn = {name: getattr(self.config, name) for name in ("pairs_per_step", "min_gap", "weight")}
        return replace(sampled, **drawn)

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        config = self.config
        few = "an answer" if config.next_samples == 1 else f"{config.next_samples} answers (mean)"
        read = (counts.get("rated") or {}).get("critic_with_reference")
        ahead = f", and {config.gamma:g} times the rating of {few} that saw its crop"
        return (
            f"For every question the round's policy wrote {config.samples} boxes (temperature {config.temperature:g}),"
            f" and {config.samples} answers with the crop of the best box.",
            f"A critic that saw the image and the crop{', and of answers the gold answer,' if read else ''} rated boxes"
            f" and answers. A box's score is its own rating{ahead if config.gamma else ''}.",
            f"At most {config.pairs_per_step} pairs a step are drawn at random, with a gap of {config.min_gap:g} at"
            " least.",
            "Boxes are shares of the padded square. A text without four decimals counts as the middle of the image, and"
            " what lies outside of the image is cut off; both are counted below.",
            "Unlike UV-CoT: policy and critic are others, prompts and rubric are ours, and the critic rates whole texts"
            " instead of facts.",
        )

    def _steps(self, tools: Draw) -> Steps:
        return Steps(tools.recipe, ANSWER, self.config.temperature, self.config.top_p)

    def _prompt(self, example: Example, step: int, winner: Candidate, draw: Draw) -> tuple[Message, ...]:
        if step == ANSWER:
            return self._steps(draw).prompt(example, ANSWER, winner.findings)
        return tuple(policy_messages(example.question, (), instruction=ASK_FOR_BOX, images=1))

    async def _boxes(self, example: Example, tools: Tools) -> list[Candidate]:
        """Sample boxes; the region of each is the crop that answers will see."""
        config, length = self.config, tools.recipe.build.max_new_tokens
        messages = policy_messages(example.question, (), instruction=ASK_FOR_BOX, images=1)
        seeds = [tools.seed(example.id, BOX, i) for i in range(config.samples)]
        asks = [Ask(messages, (WHOLE,), config.temperature, config.top_p, length, seed) for seed in seeds]
        found = []
        for i, (ask, text) in enumerate(zip(asks, await tools.generate(example, asks), strict=True)):
            written = box_of(text.text, tools.size(example), tools.recipe.build.regions.least_side)
            candidate = candidate_of(example, i, ask, text, region=Region(OF_POLICY, written.crop, 0.0))
            if candidate is None:
                tools.drop(missing("boxes", text))
                continue
            tools.drop("boxes that could not be read, the middle of the image in their place", not written.read)
            tools.drop("boxes cut off at the image's edge", written.read and not written.inside)
            found.append(candidate)
        return found

    async def _answers(self, example: Example, boxes: Sequence[Candidate], what: str, tools: Tools) -> list[Candidate]:
        """Sample an answer behind each box, which may come several times."""
        steps = self._steps(tools)
        asks = [
            steps.ask(example, ANSWER, (box.text,), box.region, tools.seed(box.id, what, i))
            for i, box in enumerate(boxes)
        ]
        made = []
        for i, (box, ask, text) in enumerate(zip(boxes, asks, await tools.generate(example, asks), strict=True)):
            answer = candidate_of(example, i, ask, text, step=ANSWER, region=box.region, findings=(box.text,))
            if answer is None:
                tools.drop(missing("answers", text))
            else:
                made.append(answer)
        return made

    async def _rate_boxes(self, example: Example, boxes: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Rate boxes by themselves and, with gamma, by the answers that follow them."""
        config, following = self.config, [tuple[str, ...]()] * len(boxes)
        if config.gamma:
            behind = [box for box in boxes for _ in range(config.next_samples)]
            answers = await self._answers(example, behind, "next", tools)
            texts: dict[str, list[str]] = {}
            for answer in answers:
                place = int(answer.id.rpartition("/")[2])
                texts.setdefault(behind[place].id, []).append(answer.text)
            following = [tuple(texts.get(box.id, ())) for box in boxes]
        return await self._rated(example, boxes, following, tools)

    async def _rated(
        self, example: Example, texts: Sequence[Candidate], following: Sequence[tuple[str, ...]], tools: Tools
    ) -> list[Candidate]:
        """Return the texts with the critic's rating, that of what follows them, and their score."""
        rates = []
        for text, after in zip(texts, following, strict=True):
            rates.append(self._rate(example, text, tools))
            rates += [
                self._rate(example, replace(text, step=ANSWER, text=one, findings=(text.text,)), tools) for one in after
            ]
        ratings, found = iter(await tools.rate(rates)), []
        for text, after in zip(texts, following, strict=True):
            own, later = next(ratings), expected([next(ratings).value for _ in after])
            score = total(own.value, later, self.config.gamma, self.config.normalise)
            if after and later is None and self.config.gamma and not self.config.normalise:
                score = None  # its own rating alone would lie below those of its step by missing a term
            judged = (JudgeScore("critic", own.value, later, score, own.mass),)
            found.append(replace(text, lookahead=after, judge_scores=judged, score=score))
        return found

    def _rate(self, example: Example, text: Candidate, tools: Tools) -> Rate:
        views, steps = views_of(text.region), self._steps(tools)
        if text.step == BOX:
            return Rate(example, text.text, views=views, rubric=RATE_BOX)
        return replace(steps.rate(example, ANSWER, text.findings, text.text, text.region), views=views)
