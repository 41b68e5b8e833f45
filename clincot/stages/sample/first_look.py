"""A build's judges and some of its questions -> a line per judge and a warning, before hours are spent on ratings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from clincot.chain.layout import Display
from clincot.images.views import Gallery
from clincot.judges.base import Judge, JudgeRequest, Rating
from clincot.judges.cache import CachedJudge
from clincot.judges.trust import Trust, warning
from clincot.lm.work import Work
from clincot.methods.base import Foresees, Method, Rate
from clincot.progress import notice
from clincot.recipe import Recipe
from clincot.records import Example
from clincot.records.atomic import write_file
from clincot.stages.sample.labelled import Labelled, both_ways, labelled, requests_of, trust_of, with_images
from clincot.stages.sample.serving import Models

QUESTIONS = 10  # each with a right and a wrong answer: 20 ratings a judge
LOOK = "judges.json"  # in the folder of a build whose judges were looked at


async def look_at_judges(
    recipe: Recipe, method: Method, examples: Sequence[Example], models: Models, folder: Path
) -> None:
    """Let each judge rate right and wrong answers to a few of `examples` as `method` asks, and say how it does.

    Nothing of it enters a row or the stored ratings. What was found is kept in `folder`, and not done again there.
    """
    path = folder / LOOK
    if not models.judges or path.is_file():
        return
    asked = _asked(recipe, method, examples)
    found: dict[str, Trust] = {}
    for judge in models.judges if asked else ():
        found[judge.name] = await _of(judge, asked)
        notice(f"judge {judge.name}: {found[judge.name].line} ({found[judge.name].rated} ratings, before the build)")
        sees = _sees(judge) and all(r.images for _, r in asked)
        blind = not sees and all(r.reference is None for _, r in asked)
        if said := warning(judge.name, found[judge.name], scoring=_scoring(judge, recipe), blind=blind, sees=sees):
            notice(said)
            models.panel(recipe.build.judging).warned(judge.name)
    write_file(path, json.dumps({name: asdict(figures) for name, figures in found.items()}, indent=1, sort_keys=True))


def _asked(recipe: Recipe, method: Method, examples: Sequence[Example]) -> list[tuple[Labelled, JudgeRequest]]:
    """Return questions with the request about their right answer; none for a method that asks judges nothing."""
    chosen = with_images(labelled(examples, QUESTIONS, recipe.seed))
    rates = [(question, _rate(recipe, method, question.example)) for question in chosen]
    display = Display(Gallery([question.example for question in chosen]), recipe.image_layout)
    return requests_of([(question, rate) for question, rate in rates if rate is not None], display)


def _rate(recipe: Recipe, method: Method, example: Example) -> Rate | None:
    if isinstance(method, Foresees):
        return method.shortest(example, recipe)[1]
    shown = example.reference if recipe.build.judging.context == "reference" else None
    return Rate(example, "", reference=shown, report=example.answer_type == "report")


async def _of(judge: Judge, asked: Sequence[tuple[Labelled, JudgeRequest]]) -> Trust:
    own = judge.judge if isinstance(judge, CachedJudge) else judge  # what it says here is no rating of a candidate
    requests = both_ways(asked)
    ratings: list[Rating] = await Work(judge, partial(own.rate, requests), len(requests))
    return trust_of(asked, ratings)


def _scoring(judge: Judge, recipe: Recipe) -> str:
    """Return how a judge is read: a server may have no way for the recipe's."""
    own = judge.judge if isinstance(judge, CachedJudge) else judge
    return str(getattr(own, "scoring", recipe.build.judging.scoring))


def _sees(judge: Judge) -> bool:
    own = judge.judge if isinstance(judge, CachedJudge) else judge
    return bool(getattr(own, "sees", False))
