"""An example, its chain so far and a step -> what the policy reads there, how long it may write, what judges rate."""

from __future__ import annotations

from collections.abc import Sequence

from clincot.chain.prompts import step_messages
from clincot.judges.base import JudgeRequest
from clincot.methods.base import Ask
from clincot.recipe import Recipe
from clincot.records import Example, Message, Region


def step_prompt(recipe: Recipe, example: Example, step: int, chain: Sequence[str]) -> tuple[Message, ...]:
    """Return the messages of `step` (from 1) after the texts of `chain`; reports have their own."""
    return tuple(
        step_messages(
            example.question,
            chain,
            step=step,
            steps=recipe.build.steps,
            report=example.answer_type == "report",
            images=1 if recipe.views == "canvas" else 2,
        )
    )


def step_ask(
    recipe: Recipe, example: Example, step: int, chain: Sequence[str], region: Region | None, seed: int
) -> Ask:
    """Return the request for one text of `step` about `region`; a report may be `build.report_tokens` long."""
    length = recipe.build.report_tokens if is_report(recipe, example, step) else recipe.build.max_new_tokens
    return Ask(step_prompt(recipe, example, step, chain), region, seed, length)


def step_rating(
    recipe: Recipe,
    example: Example,
    step: int,
    chain: Sequence[str],
    text: str,
    facts: str | None = None,
    *,
    image: bytes | None = None,
) -> JudgeRequest:
    """Return what the judges are asked about `text` written at `step`; only a whole report has the report's rubric.

    `facts` tell of the region of the text (`Tools.facts`); `image` stands in for the example's own, which is read else.
    """
    reference = example.reference if recipe.build.judging.context == "reference" else None
    report = is_report(recipe, example, step)
    return JudgeRequest(
        example.question,
        reference,
        tuple(chain),
        text,
        report,
        facts,
        image=example.encoded() if image is None else image,
    )


def is_report(recipe: Recipe, example: Example, step: int) -> bool:
    """Say whether the text of `step` is a report: the last one of a chain that was asked for one."""
    return example.answer_type == "report" and step == recipe.build.steps
