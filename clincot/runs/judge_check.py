"""A judge and a benchmark -> how well it tells right answers or findings from wrong ones, by scoring and context."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from clincot import benchmarks, judges
from clincot.chain.layout import Display
from clincot.errors import DataError, ModelError
from clincot.images.views import Gallery
from clincot.judges.base import JudgeRequest, Rating, ReadingJudge
from clincot.judges.trust import Trust
from clincot.judges.vlm import VlmJudge
from clincot.methods.base import Rate
from clincot.progress import bar
from clincot.recipe import ModelSource
from clincot.recipe.parts import SCORINGS
from clincot.records import Example, most_images
from clincot.runs.checks.places import check_server_place
from clincot.runs.models.loading import load_policy
from clincot.runs.models.loads import options_of
from clincot.runs.models.pins import benchmark_pin, examples_at
from clincot.runs.roles import OF_POLICY
from clincot.runs.run import Run
from clincot.stages.sample.labelled import Labelled, both_ways, labelled, requests_of, trust_of, with_images
from clincot.stages.sample.labelled_regions import labelled_regions

CONTEXTS = ("reference", "blind")
RESAMPLES = 1000


@dataclass(frozen=True)
class JudgeCheck:
    """What to check: a folder, a repository, `policy`, or a name that `endpoint` serves; and on what.

    `findings`: statements about crops of known regions in place of answers; `questions` counts the regions then.
    `kind` empty: the setting's for this repository, else `vlm` for a model with a vision tower and `causal_lm`.
    """

    repo: str
    kind: str = ""
    revision: str = "main"
    endpoint: str = ""
    split: str = "test"
    questions: int = 60
    seed: int = 0
    images: bool = True
    findings: bool = False
    scorings: tuple[str, ...] = SCORINGS
    contexts: tuple[str, ...] = CONTEXTS


@dataclass(frozen=True)
class Way:
    """One way of asking: its figures and seconds per rating, or why it has none."""

    scoring: str
    context: str
    found: Trust | None
    seconds: float = 0.0
    fault: str = ""


@dataclass(frozen=True)
class Checked:
    """The figures of a judge on `questions` questions or regions, each with a right and a wrong answer or finding."""

    judge: str
    benchmark: str
    split: str
    questions: int
    images: int
    seed: int
    ways: tuple[Way, ...]
    findings: bool = False


def check_judge(run: Run, asked: JudgeCheck, say: Callable[[str], None]) -> Checked:
    """Rate right and wrong answers (or findings) in every way asked for; the judge is loaded once.

    Raises DataError for a benchmark without a wrong answer to be found or without known regions, ModelError for a
    judge that works in no way, RecipeError for a server that may not see the benchmark.
    """
    if asked.endpoint:
        check_server_place(run.recipe, "--endpoint", asked.endpoint)
    questions = _questions(run, asked)
    load = _loader(run, asked, say, most_images(question.example for question, _ in questions) + asked.findings)
    judge = load("generated")
    made = [(scoring, context) for scoring in asked.scorings for context in asked.contexts]
    ways: list[Way] = []
    refused: ModelError | None = None
    with bar(f"{judge.name}: rating", 2 * len(questions) * len(made), "answers") as advance:
        for scoring, context in made:
            try:
                own = judge.in_mode(scoring) if hasattr(judge, "in_mode") else load(scoring)
                ways.append(_way(own, scoring, context, _shown(questions, context), asked))
            except ModelError as error:  # a server without log-probabilities, a vocabulary without a reply
                refused = refused or error
                ways.append(Way(scoring, context, None, fault=str(error)))
            advance(2 * len(questions))
    if refused and not any(way.found for way in ways):
        raise refused
    images = len({question.example.image_id for question, _ in questions})
    counts = (len(questions), images, asked.seed)
    return Checked(judge.name, run.recipe.benchmark, asked.split, *counts, tuple(ways), asked.findings)


def _questions(run: Run, asked: JudgeCheck) -> list[tuple[Labelled, JudgeRequest]]:
    benchmark = benchmarks.load(run.recipe.benchmark)
    pin = benchmark_pin(run.target, benchmark, run.recipe.benchmark_revision)
    every = examples_at(run.target, benchmark, pin, asked.split)
    rates = _findings(run, every, asked) if asked.findings else _answers(every, asked)
    display = Display(Gallery([question.example for question, _ in rates]), "separate")
    found = requests_of(rates, display)
    if found:
        return found
    if asked.findings:
        raise DataError(
            f"benchmark {run.recipe.benchmark}: {asked.split!r} has no readable image with a known region of a finding"
            " and room for another. Give another --split or --benchmark, or leave out --findings."
        )
    raise DataError(
        f"benchmark {run.recipe.benchmark}: no question of {asked.split!r} has a readable image and, among the"
        " other questions, a wrong answer. Give another --split or --benchmark."
    )


def _answers(every: Sequence[Example], asked: JudgeCheck) -> list[tuple[Labelled, Rate]]:
    views = None if asked.images else ()
    return [
        (q, Rate(q.example, "", reference=q.example.reference, views=views, report=q.example.answer_type == "report"))
        for q in with_images(labelled(every, asked.questions, asked.seed))
    ]


def _findings(run: Run, every: Sequence[Example], asked: JudgeCheck) -> list[tuple[Labelled, Rate]]:
    return labelled_regions(every, asked.questions, asked.seed, run.recipe.build.regions, images=asked.images)


def _shown(questions: Sequence[tuple[Labelled, JudgeRequest]], context: str) -> list[tuple[Labelled, JudgeRequest]]:
    if context == "reference":
        return list(questions)
    return [(question, replace(request, reference=None)) for question, request in questions]


def _way(
    judge: ReadingJudge,
    scoring: str,
    context: str,
    questions: Sequence[tuple[Labelled, JudgeRequest]],
    asked: JudgeCheck,
) -> Way:
    requests = both_ways(questions)
    started = time.perf_counter()
    ratings = judge.rate(requests)
    seconds = (time.perf_counter() - started) / len(requests)
    return Way(scoring, context, _trust(questions, ratings, asked), seconds)


def _trust(questions: Sequence[tuple[Labelled, JudgeRequest]], ratings: Sequence[Rating], asked: JudgeCheck) -> Trust:
    return trust_of(questions, ratings, resamples=RESAMPLES, seed=asked.seed, paired=asked.findings)


def _loader(run: Run, asked: JudgeCheck, say: Callable[[str], None], most: int) -> Callable[[str], Any]:
    """Return what loads the judge in a scoring mode, for questions about up to `most` images."""
    recipe, judging = run.recipe, run.recipe.build.judging
    prefill: dict[str, Any] = {"prefill": judging.prefill} if judging.prefill else {}
    numbers: dict[str, Any] = {"batch_size": judging.batch_size, "threads": recipe.build.threads}
    if asked.endpoint:
        reach: dict[str, Any] = {"endpoint": asked.endpoint, "batch_size": judging.batch_size, "setting": "--endpoint"}
        reach |= {"images": most if asked.images else 0, **prefill}
        kind = asked.kind or "openai"
        return lambda scoring: judges.load(kind, None, name=asked.repo, key="", scoring=scoring, **reach)
    if asked.repo == OF_POLICY:
        pin = run.target.resolve("model", recipe.models.policy.repo, recipe.models.policy.revision)
        policy = load_policy(run, pin, None, **numbers, shown=most)
        return lambda scoring: VlmJudge(policy, name=OF_POLICY, key=pin.sha, scoring=scoring, **prefill)
    known = {source.repo: source for source in (*recipe.models.judges, recipe.models.critic)}
    source = known.get(asked.repo, ModelSource(asked.repo, asked.revision))
    folder, name = _folder(run, source, say)
    kind = asked.kind or (source.kind if source.kind in judges.JUDGES else "") or _kind_of(folder)
    numbers |= options_of(source)
    if kind == "vlm":
        numbers |= {"images": most, **recipe.fit_facts}
    return lambda scoring: judges.load(kind, folder, name=name, key="", scoring=scoring, **numbers, **prefill)


def _folder(run: Run, source: ModelSource, say: Callable[[str], None]) -> tuple[Path, str]:
    folder = Path(source.repo).expanduser()
    if folder.is_dir():
        return folder, folder.resolve().name
    pin = run.target.resolve("model", source.repo, source.revision)
    say(f"reading {pin} from {run.target.label}")
    return run.target.snapshot(pin), source.repo


def _kind_of(folder: Path) -> str:
    try:
        return "vlm" if hasattr(AutoConfig.from_pretrained(folder), "vision_config") else "causal_lm"
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"judge {folder.name}: its config.json cannot be read ({error}). Name a model.") from error
