"""A run and the names of image-free controls -> their results on the run's benchmark, without any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clincot import benchmarks
from clincot.errors import ClincotError
from clincot.records import Example
from clincot.report.results_page import results_page
from clincot.runs.checks import check_controls
from clincot.runs.evaluation.evaluate import Splits
from clincot.runs.models.pins import benchmark_pin
from clincot.runs.run import Run
from clincot.stages.evaluate import Evaluation, controls, image_free_row, scored
from clincot.stages.evaluate.checks import checked
from clincot.stages.evaluate.files import result_files
from clincot.stages.evaluate.predictions import Prediction
from clincot.stages.evaluate.results import Row


@dataclass(frozen=True)
class LocalResults:
    """Results of what no model of the run answered, and the folder with their files: on this machine alone."""

    evaluation: Evaluation
    folder: Path


def evaluate_controls(run: Run, names: Sequence[str]) -> LocalResults:
    """Score the answers of image-free controls on the whole split: `evaluate.max_images` spares generation alone.

    The images name the images of the bootstrap and are not decoded. Raises ClincotError for a name that is no
    image-free control or has nothing to answer here.
    """
    check_controls(names)
    recipe = run.recipe
    splits = Splits(run, benchmark_pin(run.target, benchmarks.load(recipe.benchmark), recipe.benchmark_revision))
    where = f"{recipe.benchmark} {recipe.evaluate.split}"
    asked = checked(splits.asked, where, 0)
    train = splits.train if controls.reads_train(names) else []
    rows: dict[Row, list[Prediction]] = {}
    for name in names:
        made = image_free_row(name, train, asked, recipe.seed)
        if not made:
            raise ClincotError(f"--control {name}: {where} asks for no report, which is all that it answers.")
        rows |= made
    evaluation = scored(recipe, asked, rows, first="")
    return local_results(run, evaluation, asked, run.work("controls", "-".join(names)), f"{recipe.benchmark}, controls")


def local_results(run: Run, evaluation: Evaluation, asked: Sequence[Example], folder: Path, name: str) -> LocalResults:
    """Write the files of results into `folder`; nothing is committed."""
    result_files(evaluation, folder)
    # The files stay here, and so may hold what a push may not; the page alone is made to be passed on.
    open_data = benchmarks.load(run.recipe.benchmark).source.redistributable
    (folder / "results.html").write_text(results_page(evaluation, asked if open_data else (), name), encoding="utf-8")
    return LocalResults(evaluation, folder)
