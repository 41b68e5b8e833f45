"""An example, its chain so far and a step -> what the policy reads there, how long it may write, what judges rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clincot.chain.prompts import step_messages
from clincot.methods.base import Ask, Rate
from clincot.recipe import Recipe
from clincot.records import WHOLE, Example, Message, Region, View


@dataclass(frozen=True)
class Steps:
    """A chain of `count` steps: findings first, then the answer or the report."""

    recipe: Recipe
    count: int
    temperature: float
    top_p: float

    def prompt(self, example: Example, step: int, chain: Sequence[str]) -> tuple[Message, ...]:
        """Return the messages of `step` (from 1) after the texts of `chain`; reports have their own."""
        return tuple(
            step_messages(
                example.question,
                chain,
                step=step,
                steps=self.count,
                report=example.answer_type == "report",
                images=1 if self.recipe.image_layout == "canvas" else 2,
            )
        )

    def ask(self, example: Example, step: int, chain: Sequence[str], region: Region | None, seed: int) -> Ask:
        """Return the request for one text of `step` about `region`; a report may be `build.report_tokens` long."""
        build = self.recipe.build
        length = build.report_tokens if self.is_report(example, step) else build.max_new_tokens
        views = (WHOLE,) if region is None else (WHOLE, View("crop", region))
        return Ask(self.prompt(example, step, chain), views, self.temperature, self.top_p, length, seed)

    def rate(self, example: Example, step: int, chain: Sequence[str], text: str, region: Region | None = None) -> Rate:
        """Return what the judges are asked about `text`; the recipe's context decides what they read with it."""
        context = self.recipe.build.judging.context
        return Rate(
            example,
            text,
            tuple(chain),
            reference=example.reference if context == "reference" else None,
            region=region if context == "facts" else None,
            report=self.is_report(example, step),
        )

    def is_report(self, example: Example, step: int) -> bool:
        """Say whether the text of `step` is a report: the last one of a chain that was asked for one."""
        return example.answer_type == "report" and step == self.count
