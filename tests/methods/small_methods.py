"""Methods as a third party may write them: answers compared, rated or matched, gold answers edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clincot.chain.prompts import direct_messages
from clincot.editors.base import RewriteRequest
from clincot.methods.base import Adapter, Ask, Compare, Draw, Match, Rate, Tools
from clincot.records import WHOLE, Candidate, Example, View
from clincot.records.pairs import Pair, Side


@dataclass(frozen=True)
class Config:
    """How many answers, and how they are sampled."""

    answers: int = 3
    temperature: float = 1.0


class Compared:
    """The policy compares its own answers with the first one; the best and the worst are a pair."""

    name, title, paper = "compared", "Compared answers", "none"
    Config = Config
    needs = frozenset({"critic"})
    on_policy = True

    def __init__(self, config: Config) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        answers = await answers_of(example, self.config, tools)
        if len(answers) < 2:
            tools.drop("questions with fewer than two answers")
            return answers
        verdicts = await tools.compare([Compare(example, a.text, answers[0].text) for a in answers])
        return [_scored(answer, verdict.value) for answer, verdict in zip(answers, verdicts, strict=True)]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        return _best_and_worst(self.name, example, candidates)

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        return ("The policy compared its own answers.",)


class Rated(Compared):
    """The critic rates each answer before the image; the best and the worst are a pair."""

    name = "rated"

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        answers = await answers_of(example, self.config, tools)
        ratings = await tools.rate([Rate(example, answer.text, reference=example.reference) for answer in answers])
        return [_scored(answer, rating.value) for answer, rating in zip(answers, ratings, strict=True)]


class Matched(Compared):
    """Answers are scored by how well they match the image."""

    name = "matched"
    needs = frozenset({"similarity"})

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        answers = await answers_of(example, self.config, tools)
        scores = await tools.similarity([Match(example, answer.text) for answer in answers])
        return [_scored(answer, score) for answer, score in zip(answers, scores, strict=True)]


class Edited:
    """The gold answer before the image against a wrong version of it before a noisy copy: nothing is sampled."""

    name, title, paper = "edited", "Edited gold answers", "none"
    Config = Config
    needs = frozenset({"editor"})
    on_policy = False

    def __init__(self, config: Config) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        request = RewriteRequest(example.answer, example.question, tools.seed(example.id), example.modality)
        (wrong,) = await tools.rewrite([request])
        if wrong.text is None:
            tools.drop(f"answers with {wrong.failure}")
            return []
        gold = Candidate(f"{example.id}/gold", example.id, 1, example.answer, None, (), None, None, source="gold")
        edited = Candidate(f"{example.id}/edited", example.id, 1, wrong.text, None, (), None, None, source="editor")
        return [gold, edited]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        gold, edited = candidates
        noisy = View("diffusion_noise", strength=0.5, seed=draw.seed(example.id, "noise"))
        chosen = Side.of(gold, (), (WHOLE,))
        rejected = Side.of(edited, (), (noisy,))
        turn = {"role": "user", "content": example.question}
        name = f"{example.id}/1"
        return [Pair(f"{name}/0", example.id, 1, self.name, (turn,), (), chosen, rejected, name)]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        return ("Rules wrote a wrong version of each gold answer, scored before a noisy image.",)


async def answers_of(
    example: Example, config: Config, tools: Tools, adapters: tuple[Adapter, ...] = ("round",)
) -> list[Candidate]:
    length = tools.recipe.build.max_new_tokens
    messages = direct_messages(example.question)
    asks = [
        Ask(messages, (WHOLE,), config.temperature, 1.0, length, tools.seed(example.id, i), adapters[i % len(adapters)])
        for i in range(config.answers)
    ]
    texts = await tools.generate(example, asks)
    return [
        Candidate(
            f"{example.id}/1/{i}",
            example.id,
            1,
            text.text,
            None,
            (),
            text.logp if text.finish == "stop" and text.retokenises else None,
            text.tokens,
            finish=text.finish,
            views=(WHOLE,),
        )
        for i, text in enumerate(texts)
        if text.text.strip()
    ]


def _scored(candidate: Candidate, score: float | None) -> Candidate:
    return replace(candidate, score=score)


def _best_and_worst(method: str, example: Example, candidates: Sequence[Candidate]) -> list[Pair]:
    rated = sorted((c for c in candidates if c.score is not None), key=lambda c: (c.score, c.id))
    if len(rated) < 2 or rated[0].text == rated[-1].text:
        return []
    name = f"{example.id}/1"
    sides = (Side.of(rated[-1], (WHOLE,)), Side.of(rated[0], (WHOLE,)))
    prompt = tuple(direct_messages(example.question))
    return [Pair(f"{name}/0", example.id, 1, method, prompt, (WHOLE,), *sides, name)]
