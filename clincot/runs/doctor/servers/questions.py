"""A recipe -> what its policy and its judges are asked about five questions of its benchmark, two prompts for each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from clincot import benchmarks
from clincot.chain.layout import Display
from clincot.chain.prompts import SIDES
from clincot.chain.steps import Steps, views_of
from clincot.engines.server_look import Prompt
from clincot.errors import DataError
from clincot.images.views import Gallery
from clincot.judges.base import JudgeRequest
from clincot.judges.scoring import mode_of
from clincot.phantom import publish
from clincot.phantom.dataset import image_rows
from clincot.phantom.drawing.draw import RANGES
from clincot.phantom.parquet import COLUMNS
from clincot.recipe import Recipe
from clincot.records import Box, Example, Region
from clincot.runs.doctor.reach import Reach
from clincot.runs.evaluation.questions import questions_of

COUNT = 5
# In the order in which a build asks them: the second of a pair begins as the first does.
Pairs = tuple[tuple[Prompt, Prompt], ...]


@dataclass(frozen=True)
class Asked:
    """Pairs of prompts for a role that sees images and for one that reads text alone."""

    seeing: Pairs
    reading: Pairs


def asked_of(recipe: Recipe, reach: Reach) -> Asked:
    """Return the prompts of five questions about five images. Raises ClincotError where the benchmark is not there."""
    with _examples(recipe, reach) as every:
        first = {example.image_id: example for example in reversed(every)}
        chosen = list(first.values())[-COUNT:]
        if not chosen:
            raise DataError(f"benchmark {recipe.benchmark}: no question in its split train.")
        return Asked(tuple(_seeing(recipe, chosen)), tuple(_reading(recipe, chosen)))


@contextmanager
def _examples(recipe: Recipe, reach: Reach) -> Iterator[Sequence[Example]]:
    benchmark = benchmarks.load(recipe.benchmark)
    if benchmark.source.repo == publish.DATASET:  # drawn here: a Hub may lack it, and none is written to
        with tempfile.TemporaryDirectory() as folder:
            _draw(Path(folder))
            yield benchmark.examples(Path(folder), "train")
        return
    revision = recipe.benchmark_revision
    yield reach(lambda hub: questions_of(hub, recipe.benchmark, "train", revision, lambda said: None))


def _draw(folder: Path) -> None:
    """Write the first images of the phantom's training split, as its repository holds them."""
    rows = [row for index in range(COUNT) for row in image_rows(0, RANGES["train"] + index)]
    (folder / "data").mkdir()
    pq.write_table(pa.Table.from_pylist(rows, schema=COLUMNS), folder / "data" / "train-00000-of-00001.parquet")


def _seeing(recipe: Recipe, examples: Sequence[Example]) -> Iterator[tuple[Prompt, Prompt]]:
    """Yield the first step and the last of a chain that looks at the middle of the image."""
    build = recipe.build
    steps = Steps(max(2, recipe.method.steps), build.max_new_tokens, build.report_tokens, recipe.image_layout)
    gallery = Gallery(examples)
    display = Display(gallery, recipe.image_layout)
    for example in examples:
        width, height = gallery.image(example.id).size
        middle = Region("finding", Box(width // 4, height // 4, width - width // 4, height - height // 4), 1.0)
        images = display.images(example.id, views_of(middle))
        finding = f"The local image shows no abnormality {SIDES[1]}."
        first, last = steps.messages(example, 1, ()), steps.messages(example, steps.count, (finding,))
        yield Prompt(first, images), Prompt(last, images)


def _reading(recipe: Recipe, examples: Sequence[Example]) -> Iterator[tuple[Prompt, Prompt]]:
    """Yield what a judge reads of two statements, the gold answer and another."""
    way = mode_of(recipe.build.judging.scoring)
    for example in examples:
        for_report = example.answer_type == "report"
        requests = [
            JudgeRequest(example.question, example.reference, (), statement, for_report)
            for statement in (example.answer, "No abnormality.")
        ]
        first, second = (Prompt(tuple(way.messages(request))) for request in requests)
        yield first, second


def folded(prompt: Prompt) -> Prompt:
    """Return a judge's prompt in one turn, for a template without a system turn."""
    system, user = prompt.messages
    return replace(prompt, messages=({**user, "content": f"{system['content']}\n\n{user['content']}"},))
