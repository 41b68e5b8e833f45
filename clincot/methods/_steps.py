"""An example, its chain so far and a step -> what the policy reads there, how long it may write, what judges rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clincot.chain import steps as chain_steps
from clincot.chain.steps import views_of
from clincot.methods.base import Ask, Rate
from clincot.recipe import Recipe
from clincot.records import Example, Message, Region


@dataclass(frozen=True)
class Steps:
    """A chain of `count` steps: findings first, then the answer or the report."""

    recipe: Recipe
    count: int
    temperature: float
    top_p: float

    @property
    def of_chain(self) -> chain_steps.Steps:
        """Return what build and evaluation ask alike."""
        build = self.recipe.build
        return chain_steps.Steps(self.count, build.max_new_tokens, build.report_tokens, self.recipe.image_layout)

    def prompt(self, example: Example, step: int, chain: Sequence[str]) -> tuple[Message, ...]:
        """Return the messages of `step` (from 1) after the texts of `chain`; reports have their own."""
        return self.of_chain.messages(example, step, chain)

    def ask(self, example: Example, step: int, chain: Sequence[str], region: Region | None, seed: int) -> Ask:
        """Return the request for one text of `step` about `region`; a report may be `build.report_tokens` long."""
        messages, length = self.prompt(example, step, chain), self.of_chain.length(example, step)
        return Ask(messages, views_of(region), self.temperature, self.top_p, length, seed)

    def rate(self, example: Example, step: int, chain: Sequence[str], text: str, region: Region | None = None) -> Rate:
        """Return what the judges are asked about `text`; the recipe's context decides what they read with it."""
        context = self.recipe.build.judging.context
        return Rate(
            example,
            text,
            tuple(chain),
            reference=example.reference if context == "reference" else None,
            region=region if context == "facts" else None,
            views=views_of(region),
            report=self.of_chain.is_report(example, step),
        )
