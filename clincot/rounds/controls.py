"""A run and the names of image-free controls -> their results on the run's benchmark, without any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clincot import benchmarks
from clincot.errors import ClincotError, did_you_mean
from clincot.evaluation import Evaluation, controls, image_free_row, scored
from clincot.evaluation.checks import checked
from clincot.evaluation.files import result_files
from clincot.evaluation.predictions import Prediction
from clincot.evaluation.results import Row
from clincot.report.results_page import results_page
from clincot.rounds.evaluate import Splits
from clincot.rounds.run import Run


@dataclass(frozen=True)
class Controlled:
    """The results of controls, and the folder with their files: on this machine alone, nothing is committed."""

    evaluation: Evaluation
    folder: Path


def check_controls(names: Sequence[str]) -> None:
    """Raise ClincotError for a control that needs a policy, or is none."""
    for name in names:
        if name in (controls.BLACK, controls.SHUFFLED):
            raise ClincotError(
                f"--control {name}: a policy answers it. Leave --control out: the row is part of every evaluation."
            )
        if name not in controls.IMAGE_FREE:
            raise ClincotError(f"--control {name}: no such control.{did_you_mean(name, controls.IMAGE_FREE)}")


def evaluate_controls(run: Run, names: Sequence[str]) -> Controlled:
    """Score the answers of image-free controls on the whole split: `evaluate.max_images` spares generation alone.

    The pictures name the images of the bootstrap and are not decoded. Raises ClincotError for a name that is no
    image-free control or has nothing to answer here.
    """
    check_controls(names)
    recipe = run.recipe
    source = benchmarks.load(recipe.benchmark).source
    splits = Splits(run, run.target.resolve("dataset", source.repo, source.revision))
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
    folder = run.work("controls", "-".join(names))
    result_files(evaluation, folder)
    # The files stay here, and so may hold what a push may not; the page alone is made to be passed on.
    page = results_page(evaluation, asked if source.redistributable else (), f"{recipe.benchmark}, controls")
    (folder / "results.html").write_text(page, encoding="utf-8")
    return Controlled(evaluation, folder)
