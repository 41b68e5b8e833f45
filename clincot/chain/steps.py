"""An example, a step and the findings before it -> what a policy reads and sees, how long it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clincot.chain.prompts import direct_messages, step_messages
from clincot.recipe import ImageLayout
from clincot.records import WHOLE, Example, Message, Region, View


@dataclass(frozen=True)
class Steps:
    """A chain of `count` steps: a finding of a region at each, then the answer or the report at the last.

    Build and evaluation differ in these numbers and in nothing else of what they ask. `max_new_tokens` and
    `report_tokens` are the lengths of texts and of whole reports; `layout` is how image and crop reach the policy.
    """

    count: int
    max_new_tokens: int
    report_tokens: int
    layout: ImageLayout = "separate"

    def messages(self, example: Example, step: int, findings: Sequence[str]) -> tuple[Message, ...]:
        """Return the turns of `step` (from 1) after `findings`, with a block for each image of the request."""
        return tuple(
            step_messages(
                example.question,
                findings,
                step=step,
                steps=self.count,
                report=example.answer_type == "report",
                images=blocks(2, self.layout),
            )
        )

    def length(self, example: Example, step: int) -> int:
        """Return how many tokens the text of `step` may have."""
        return self.report_tokens if self.is_report(example, step) else self.max_new_tokens

    def is_report(self, example: Example, step: int) -> bool:
        """Return whether the text of `step` is a whole report: the last one of a chain that was asked for one."""
        return example.answer_type == "report" and step == self.count


def views_of(region: Region | None) -> tuple[View, ...]:
    """Return what a policy sees when it looks at `region`: the whole image, then the region's crop."""
    return (WHOLE,) if region is None else (WHOLE, View("crop", region))


def direct_question(example: Example, layout: ImageLayout = "separate") -> tuple[Message, ...]:
    """Return the turns that ask for the answer or the report from all images of the example (`records.whole`)."""
    report, seen = example.answer_type == "report", len(example.image_ids)
    return tuple(direct_messages(example.question, report=report, seen=seen, blocks=blocks(seen, layout)))


def blocks(seen: int, layout: ImageLayout) -> int:
    """Return how many image blocks a prompt needs for `seen` views (`clincot.chain.layout.arranged`)."""
    return min(seen, 1) if layout == "canvas" else seen
