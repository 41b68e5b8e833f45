"""STLLaVA-Med (arXiv 2406.19973), its second stage: two answers at two temperatures, a critic that sees chooses one.

The first stage, visual self-questioning tuning, is left out; `questions: own` lets the untuned policy ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from clincot.methods.base import Compare, Draw, Rate, Tools
from clincot.methods.candidates import written
from clincot.methods.direct import direct_ask, direct_pair, usable
from clincot.methods.own_questions import asked_in, keeping, with_own_question
from clincot.methods.text_key import text_key
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example
from clincot.records.pairs import Pair

ASK = "Ask one question about this medical image that can be answered from it."  # ours


@dataclass(frozen=True)
class StllavaMedConfig:
    """How the two answers are sampled and chosen between; the repository gives no prompts and no temperatures.

    `verdict`: the critic compares the two, in both orders, or rates each by itself. `questions`: those of the train
    split, or new ones of the policy, sampled at the higher temperature.
    """

    low: Annotated[float, Range(0, 10)] = 0.2  # ours
    high: Annotated[float, Range(0, 10, above=True)] = 1.0  # ours
    top_p: Annotated[float, Range(0, 1, above=True)] = 1.0  # ours
    verdict: Literal["compared", "rated"] = "compared"  # paper: GPT-4o picks the preferred of two
    questions: Literal["train", "own"] = "train"  # ours; paper: the model asks about 10,000 images (`own`)


class StllavaMed:
    """A critic that sees the image and no gold answer chooses between two answers of the policy."""

    name, title, paper = "stllava_med", "STLLaVA-Med-style", "arXiv 2406.19973"
    Config, on_policy = StllavaMedConfig, True
    needs = frozenset({"critic"})
    draws_by = frozenset({"cut_texts"})

    def __init__(self, config: StllavaMedConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Answer the question, or a new one, twice; the critic's preference is the score of each answer."""
        config, asked = self.config, example
        if config.questions == "own":
            new = await with_own_question(example, tools, ASK, temperature=config.high, top_p=config.top_p)
            if new is None:
                return []
            asked = new
        asks = [
            direct_ask(asked, tools.recipe, tools.seed(example.id, place), temperature=warmth, top_p=config.top_p)
            for place, warmth in enumerate((config.low, config.high))
        ]
        answers = written(example, asks, await tools.generate(asked, asks), tools)
        if len(answers) < 2:
            return keeping(asked, example, answers)
        if text_key(answers[0].text) == text_key(answers[1].text):
            tools.drop("questions that are answered alike")
            return keeping(asked, example, answers)
        scores = await self._preferred(asked, answers, tools)
        scored = [replace(answer, score=score) for answer, score in zip(answers, scores, strict=True)]
        return keeping(asked, example, scored)

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the answer with the higher score; equal scores are no pair."""
        scores = [answer.score for answer in candidates]
        if len(scores) < 2 or None in scores:
            return []
        if not all(usable(answer, draw) for answer in candidates):
            draw.drop("answers cut at the length limit")
            return []
        if scores[0] == scores[1]:
            draw.drop("questions whose answers the critic finds alike")
            return []
        chosen, rejected = sorted(candidates, key=lambda answer: -(answer.score or 0.0))
        return [direct_pair(self.name, asked_in(example, chosen), draw.recipe, chosen, rejected)]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        config = self.config
        asked = "a question that it wrote about the image itself" if config.questions == "own" else "each question"
        how = "compared the two in both orders" if config.verdict == "compared" else "rated each of the two by itself"
        return (
            f"The round's policy answered {asked} twice (temperatures {config.low:g} and {config.high:g}, top-p"
            f" {config.top_p:g}). A critic that sees the image, and no gold answer, {how}; the preferred answer is the"
            " chosen one.",
            "Unlike STLLaVA-Med: no self-questioning stage before it, the critic is not GPT-4o, and temperatures and"
            " prompts are ours.",
        )

    async def _preferred(
        self, asked: Example, answers: Sequence[Candidate], tools: Tools
    ) -> tuple[float | None, float | None]:
        """Return a score for each of two answers; None for both, counted, where the critic gave no verdict."""
        report = asked.answer_type == "report"
        first, second = (answer.text for answer in answers)
        if self.config.verdict == "compared":
            (verdict,) = await tools.compare([Compare(asked, first, second, report=report)])
            scores = [verdict.value, None if verdict.value is None else 1 - verdict.value]
        else:
            ratings = await tools.rate([Rate(asked, text, report=report) for text in (first, second)])
            scores = [rating.value for rating in ratings]
        if None in scores:
            tools.drop("questions without a verdict of the critic")
            return None, None
        return scores[0], scores[1]
