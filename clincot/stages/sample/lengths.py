"""Questions and models that can count tokens -> which questions they have no room for, before any is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from clincot.chain.steps import blocks
from clincot.engines.base import Fitting
from clincot.errors import DataError
from clincot.judges.base import Fitting as FittingJudge
from clincot.judges.base import JudgeRequest
from clincot.lm.requests import TOO_LONG, GenerateRequest
from clincot.methods.base import Ask, Foresees, Method, Rate
from clincot.progress import notice
from clincot.recipe import ImageLayout, Recipe
from clincot.records import Example

OF_POLICY, OF_JUDGE = f"questions {TOO_LONG}", "questions or references too long for a judge"
PART = 1000  # questions looked at together: memory holds the tokens of these alone
SHOWN = 3


@dataclass(frozen=True)
class Rooms:
    """What can count the tokens of prompts: loaded models, or their tokenizers alone; others are left out."""

    policy: Fitting | None
    judges: tuple[FittingJudge, ...] = ()


def unfit(recipe: Recipe, method: Method, examples: Sequence[Example], rooms: Rooms) -> dict[str, str]:
    """Return example id -> why a build has to drop it: the shortest prompts about it are too long for a model.

    A method that cannot name its shortest requests (`Foresees`) leaves each prompt to the model that reads it.
    """
    reasons: dict[str, str] = {}
    if not isinstance(method, Foresees):
        return reasons
    asks, rates = (
        zip(*(method.shortest(example, recipe) for example in examples), strict=True) if examples else ((), ())
    )
    if rooms.policy is not None and None not in asks:
        reasons |= _odd(examples, rooms.policy.too_long([_asked(ask) for ask in asks]), OF_POLICY)
    for judge in rooms.judges if None not in rates else ():
        rated = [_rated(rate, recipe.image_layout) for rate in rates]
        reasons = _odd(examples, judge.too_long(rated), OF_JUDGE) | reasons
    return reasons


def check_lengths(recipe: Recipe, method: Method, examples: Sequence[Example], rooms: Rooms) -> dict[str, str]:
    """Say on stderr how many questions of a whole split will be dropped and why; return id -> reason.

    Reads texts alone, `PART` at a time. Raises DataError when every question would be dropped.
    """
    found: dict[str, str] = {}
    for part in _parts(examples):
        found |= unfit(recipe, method, part, rooms)
    if not found:
        return found
    counts = ", ".join(f"{count} {reason}" for reason, count in sorted(Counter(found.values()).items()))
    some = ", ".join(f"{e.id} ({e.question.strip()[:60]!r})" for e in islice(_of(examples, found), SHOWN))
    if len(found) == len(examples):
        context = getattr(rooms.policy, "context", None)
        limit = f"; the policy's prompts exceed its context of {context}" if context else ""
        raise DataError(
            f"build: none of {len(examples)} questions can be asked: {counts}{limit} ({some})."
            " Lower build.max_new_tokens or build.report_tokens, or name models with a longer context."
        )
    more = ", ..." if len(found) > SHOWN else ""
    notice(f"{len(found)} of {len(examples)} questions will be dropped: {counts}. {some}{more}")
    return found


def _asked(ask: Ask) -> GenerateRequest:
    return GenerateRequest(tuple(ask.messages), (), ask.seed, ask.temperature, ask.top_p, ask.max_new_tokens)


def _rated(rate: Rate, layout: ImageLayout) -> JudgeRequest:
    """Return the request without its images and region, which are not looked at yet."""
    return JudgeRequest(
        rate.example.question,
        rate.reference,
        rate.findings,
        rate.text,
        rate.report,
        None,
        images=(b"",) * blocks(len(rate.seen), layout),
        rubric=rate.rubric,
    )


def _odd(examples: Sequence[Example], too_long: Sequence[bool], reason: str) -> dict[str, str]:
    return {example.id: reason for example, odd in zip(examples, too_long, strict=True) if odd}


def _of(examples: Sequence[Example], found: dict[str, str]) -> Iterator[Example]:
    return (example for example in examples if example.id in found)


def _parts(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    return (examples[start : start + PART] for start in range(0, len(examples), PART))
