"""Self-Rewarding (arXiv 2401.10020): the policy writes four texts, judges them itself, best against worst.

The first model, M1, is trained on gold answers (`train.start: sft`); two rounds of DPO make M2 and M3 of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from clincot.chain.prompts import policy_messages
from clincot.chain.steps import blocks
from clincot.methods.base import Ask, Draw, Tools
from clincot.methods.direct import answers_of, direct_pair, usable
from clincot.methods.own_questions import asked_in, keeping, with_own_question
from clincot.methods.text_key import text_key
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example, JudgeScore, Message, whole
from clincot.records.pairs import Pair

POINTS = 5
RUBRIC = (  # ours, after the paper's additive points
    "Review the question and the answer below. Add up points: 1 if the answer is relevant to the question; 1 more if it"
    " covers a substantial part of what is asked; 1 more if it gives the basic elements of the answer in a useful way;"
    " 1 more if it is clear, direct and helpful; 1 more if it is of the quality that an expert would give. Justify the"
    ' total in at most 100 words, then end with the line "Score: " and the total from 0 to 5.'
)
YES_OR_NO = "Is the answer right? Reply yes or no."  # ours, for a policy that writes no points
NEW_QUESTION = (  # ours; the paper's prompt shows eight examples as well
    "Write one new question about this image, in the manner of these.\n"
    "Is there a fracture?\nWhich organ is shown?\nOn which side is the lesion?\nIs the heart enlarged?\n"
    "What kind of image is this?\nHow many nodules are there?\nIs there fluid around the lung?\n"
    "What does the opacity in the lower lobe suggest?"
)


@dataclass(frozen=True)
class SelfRewardingConfig:
    """The numbers of Self-Rewarding (Section 3 and its set-up).

    `judgements`: how often the policy judges each text, sampled as the texts are; their mean counts. `verdict`: it
    writes points, or yes or no. `judge_sees`: the image comes before its judgement. `questions`: those of the train
    split, or new ones of the policy. `judgement_tokens`: length of a judgement at most.
    """

    answers: Annotated[int, Range(2, 1000)] = 4  # paper: N = 4 candidate responses
    temperature: Annotated[float, Range(0, 10)] = 0.7  # paper: T = 0.7
    top_p: Annotated[float, Range(0, 1, above=True)] = 0.9  # paper: p = 0.9
    judgements: Annotated[int, Range(1, 100)] = 3  # paper: three evaluations, averaged
    verdict: Literal["points", "yes_or_no"] = "points"  # paper: the additive rubric of five points, written out
    judge_sees: Literal["image", "nothing"] = "image"  # ours: the paper is about text
    questions: Literal["train", "own"] = "train"  # ours; the paper's policy writes new prompts (`own`)
    judgement_tokens: Annotated[int, Range(1, 100_000)] = 256  # ours: room for 100 words


class SelfRewarding:
    """The policy is its own judge and is shown no gold answer; texts that it judges alike are no pair."""

    name, title, paper = "self_rewarding", "Self-Rewarding-style", "arXiv 2401.10020"
    Config, on_policy = SelfRewardingConfig, True
    needs: frozenset[str] = frozenset()
    draws_by = frozenset({"cut_texts"})

    def __init__(self, config: SelfRewardingConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Write answers to the question, or to a new one, and judge each of them some times."""
        config, asked = self.config, example
        how = {"temperature": config.temperature, "top_p": config.top_p}
        if config.questions == "own":
            new = await with_own_question(example, tools, NEW_QUESTION, **how)
            if new is None:
                return []
            asked = new
        answers = await answers_of(asked, tools, config.answers, **how)
        return keeping(asked, example, await self._judged(asked, answers, tools))

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the best judged text to the worst; equal judgements and equal texts are no pair."""
        rated = [text for text in candidates if text.score is not None]
        draw.drop("texts whose judgements could not be read", len(candidates) - len(rated))
        whole = [text for text in rated if usable(text, draw)]
        draw.drop("texts cut at the length limit", len(rated) - len(whole))
        best = max(whole, key=lambda text: text.score or 0.0, default=None)
        others = [text for text in whole if best and text_key(text.text) != text_key(best.text)]
        worst = min(others, key=lambda text: text.score or 0.0, default=None)
        if best is None or worst is None:
            few = "questions with fewer than two judged texts"
            draw.drop(few if len(whole) < 2 else "questions whose judged texts say the same")
            return []
        if best.score == worst.score:
            draw.drop("questions whose texts are judged alike")
            return []
        return [direct_pair(self.name, asked_in(example, best), draw.recipe, best, worst)]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        config = self.config
        asked = "a new question that it wrote about the image" if config.questions == "own" else "each question"
        points = "yes or no" if config.verdict == "yes_or_no" else f"up to {POINTS} additive points"
        times = "once" if config.judgements == 1 else f"{config.judgements} times, averaged"
        seen = "with the image before it" if config.judge_sees == "image" else "without the image"
        return (
            f"The round's policy wrote {config.answers} texts to {asked} (temperature {config.temperature:g}, top-p"
            f" {config.top_p:g}) and judged each of them itself, {seen} and without the gold answer: {points}, written"
            f" out, {times}.",
            "The text with the highest mean is preferred to the one with the lowest; equal means are no pair.",
            "Unlike the paper: images and medical questions, prompts of our own"
            + (", and no new questions." if config.questions == "train" else "."),
        )

    async def _judged(self, asked: Example, answers: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Ask for all judgements of all answers at once; those that cannot be read count nothing."""
        config, count = self.config, self.config.judgements
        seen = whole(asked) if config.judge_sees == "image" else ()
        asks = [
            Ask(
                self._question(asked, answer.text, blocks(len(seen), tools.recipe.image_layout)),
                seen,
                config.temperature,
                config.top_p,
                config.judgement_tokens,
                tools.seed(answer.id, "judgement", i),
            )
            for answer in answers
            for i in range(count)
        ]
        replies = await tools.generate(asked, asks)
        given = [_points(reply.text, config.verdict) if reply.finish == "stop" else None for reply in replies]
        tools.drop("judgements that could not be read", sum(points is None for points in given))
        return [
            _with_judgements(answer, given[place * count : (place + 1) * count]) for place, answer in enumerate(answers)
        ]

    def _question(self, asked: Example, answer: str, images: int) -> list[Message]:
        task = YES_OR_NO if self.config.verdict == "yes_or_no" else RUBRIC
        text = f"Question: {asked.question.strip()}\nAnswer: {answer.strip()}"
        return policy_messages(text, (), instruction=task, images=images)


def _points(reply: str, verdict: str) -> float | None:
    """Return the points of a reply: of its last "Score: k", or all or none for its first word; None without either."""
    if verdict == "yes_or_no":
        word = re.match(r"\W*(yes|no)\b", reply, re.IGNORECASE)
        return None if word is None else float(POINTS * (word[1].lower() == "yes"))
    found = re.findall(r"score\W{1,5}(\d+(?:\.\d+)?)", reply, re.IGNORECASE)
    if not found or float(found[-1]) > POINTS:
        return None
    return float(found[-1])


def _with_judgements(answer: Candidate, given: Sequence[float | None]) -> Candidate:
    """Return the answer with its mean; points are added before they are divided, so that equal means are ties."""
    shares = [None if points is None else points / POINTS for points in given]
    scores = tuple(JudgeScore("policy", share, None, share, 0.0) for share in shares)
    read = [points for points in given if points is not None]
    return replace(answer, judge_scores=scores, score=sum(read) / (POINTS * len(read)) if read else None)
