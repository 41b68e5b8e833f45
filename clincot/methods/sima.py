"""SIMA (arXiv 2405.15973): the policy compares its greedy answer with a sampled one, by criteria and worked examples.

The critic is the policy itself, which is shown the gold answer; "in-context" means the two worked examples.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from clincot.chain.prompts import policy_messages
from clincot.chain.steps import blocks
from clincot.methods.base import Ask, Draw, Tools
from clincot.methods.candidates import written
from clincot.methods.direct import direct_ask, direct_pair, usable
from clincot.methods.text_key import text_key
from clincot.recipe import Recipe
from clincot.recipe.ranges import Range
from clincot.records import Candidate, Example, Message, whole
from clincot.records.pairs import Pair

CRITERIA = (  # ours: the paper's are the accuracy of objects, of relations and of attributes
    "Compare two responses to a question about a medical image by three criteria. Findings: does it name the findings"
    " that are there, and no others? Location: are the side and the place of each finding right? Attributes: are size,"
    " number and severity right?"
)
EXAMPLES = (  # ours, medical; the paper shows two as well
    "Example. Question: What does the chest X-ray show? Ground truth: There is a large pleural effusion on the left."
    " Response 1: There is a large effusion on the left. Response 2: There is a small effusion on the right."
    " Judgment: Both name the finding; response 2 has the wrong side and the wrong size. [[1]]",
    "Example. Question: Is there a fracture? Ground truth: No. Response 1: Yes, in the fifth rib."
    " Response 2: No fracture is seen. Judgment: Response 1 names a finding that is not there. [[2]]",
)
VERDICT = "Which response is better by these criteria? Give your judgment, then [[1]] or [[2]]."
YES_OR_NO = "Is response 1 better than response 2? Reply yes or no."  # ours, for a policy that writes no marks


@dataclass(frozen=True)
class SimaConfig:
    """The numbers of SIMA's code. `order`: the sample always comes first, or both orders have to agree (`swap`).

    `verdict`: the critic writes a mark, or yes or no. `verdict_tokens`: length of its reply at most.
    """

    temperature: Annotated[float, Range(0, 10, above=True)] = 0.8  # authors' code: of the sample; the other is greedy
    top_p: Annotated[float, Range(0, 1, above=True)] = 0.9  # authors' code
    order: Literal["fixed", "swap"] = "fixed"  # authors' code: 1 is the sample, 2 the greedy answer
    verdict: Literal["marks", "yes_or_no"] = "marks"  # authors' code: the last [[1]] or [[2]], else no pair
    verdict_tokens: Annotated[int, Range(1, 100_000)] = 1024  # authors' code


class Sima:
    """Two answers of the same policy, and its own verdict on them."""

    name, title, paper = "sima", "SIMA-style", "arXiv 2405.15973"
    Config, on_policy = SimaConfig, True
    needs: frozenset[str] = frozenset()
    draws_by = frozenset({"cut_texts"})
    reads_gold = True  # its critic is shown the gold answer

    def __init__(self, config: SimaConfig) -> None:
        self.config = config

    async def sample(self, example: Example, tools: Tools) -> list[Candidate]:
        """Write the sample and the greedy answer, then compare them; a score is 1 for the better one."""
        config = self.config
        asks = [
            direct_ask(
                example, tools.recipe, tools.seed(example.id), temperature=config.temperature, top_p=config.top_p
            ),
            direct_ask(example, tools.recipe, tools.seed(example.id), temperature=0.0),
        ]
        answers = written(example, asks, await tools.generate(example, asks), tools)
        if len(answers) < 2:
            return answers
        first, second = answers
        if text_key(first.text) == text_key(second.text):
            tools.drop("questions that are answered alike")
            return answers
        better = await self._better(example, first, second, tools)
        if better is None:
            return answers
        return [replace(answer, score=float(place == better)) for place, answer in enumerate(answers)]

    def pair(self, example: Example, candidates: Sequence[Candidate], draw: Draw) -> list[Pair]:
        """Prefer the answer that the critic chose."""
        if not candidates or any(answer.score is None for answer in candidates):
            return []
        if not all(usable(answer, draw) for answer in candidates):
            draw.drop("answers cut at the length limit")
            return []
        chosen, rejected = sorted(candidates, key=lambda answer: -(answer.score or 0.0))
        return [direct_pair(self.name, example, draw.recipe, chosen, rejected)]

    def facts(self, counts: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what the card says of a round."""
        config = self.config
        reply = "a written mark" if config.verdict == "marks" else "a written yes or no"
        order = (
            "The sample always comes first, so a preference for a place decides too."
            if config.order == "fixed"
            else "It read the two in both orders; verdicts that differ are no pair."
        )
        return (
            f"The round's policy wrote two answers, one greedy and one sampled (temperature {config.temperature:g},"
            f" top-p {config.top_p:g}), and compared them itself, with the image, the gold answer, three criteria and"
            f" two worked examples: {reply}. {order}",
            "Unlike SIMA: criteria and examples are medical and ours, as are the prompts.",
        )

    async def _better(self, example: Example, first: Candidate, second: Candidate, tools: Tools) -> int | None:
        """Return 0 for the first answer, 1 for the second; None, counted, without a verdict or where orders differ."""
        orders = [(first, second), (second, first)] if self.config.order == "swap" else [(first, second)]
        asks = [
            Ask(
                self._question(example, tools.recipe, *order),
                whole(example),
                0.0,
                1.0,
                self.config.verdict_tokens,
                tools.seed(example.id),
            )
            for order in orders
        ]
        replies = await tools.generate(example, asks)
        given = [_place(reply.text, self.config.verdict) for reply in replies]
        if any(place is None for place in given):
            tools.drop("comparisons without a verdict")
            return None
        places = {place if turn == 0 else 1 - place for turn, place in enumerate(given) if place is not None}
        if len(places) > 1:
            tools.drop("comparisons whose two orders differ")
            return None
        return places.pop()

    def _question(self, example: Example, recipe: Recipe, first: Candidate, second: Candidate) -> list[Message]:
        lines = [
            CRITERIA,
            *EXAMPLES,
            f"Question: {example.question.strip()}",
            f"Ground truth: {example.answer.strip()}",
            f"Response 1: {first.text.strip()}",
            f"Response 2: {second.text.strip()}",
        ]
        task = VERDICT if self.config.verdict == "marks" else YES_OR_NO
        return policy_messages(
            "\n".join(lines), (), instruction=task, images=blocks(len(whole(example)), recipe.image_layout)
        )


def _place(reply: str, verdict: str) -> int | None:
    """Return which response a reply prefers, 0 or 1: the last mark, or its first word yes or no; None without one."""
    if verdict == "yes_or_no":
        word = re.match(r"\W*(yes|no)\b", reply, re.IGNORECASE)
        return None if word is None else int(word[1].lower() == "no")
    found = re.findall(r"\[\[([12])\]\]", reply)
    return int(found[-1]) - 1 if found else None
