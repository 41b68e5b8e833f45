"""The jobs of a table -> an error before any work: a model that a Hub lacks, a round of another method in a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from clincot.errors import RecipeError
from clincot.phantom.publish import MODELS
from clincot.recipe import Recipe
from clincot.runs.roles import sources_of, where_of
from clincot.runs.rounds.one_method import check_method
from clincot.runs.run import Run
from clincot.runs.tables.plan import Job

if TYPE_CHECKING:
    from clincot.runs.tables.making import Workshop


def unreached(workshop: Workshop, jobs: Sequence[Job], *, named: bool) -> dict[str, str]:
    """Return why rows cannot be made with what the target Hub holds, by their names.

    Raises RecipeError for the first of them where rows were `named`, and for a run with a round of another method.
    """
    found: dict[str, str] = {}
    for job in jobs:
        run = workshop.open(job)
        try:
            why = lacks(run)
            if why and named:
                raise RecipeError(f"{job.row.name}: {why}")
            found |= {job.row.name: why} if why else {}
            _check_method(run)
        finally:
            run.store.close()
    return found


def lacks(run: Run) -> str:
    """Return what the target Hub lacks of the recipe's models, "" for nothing; a remote Hub is not asked."""
    if not run.target.label.startswith("local:"):
        return ""
    for role, source in sources_of(run.recipe).items():
        if (
            source.repo
            and not source.endpoint
            and source.repo not in MODELS
            and not run.target.exists("model", source.repo)
        ):
            return (
                f"{where_of(role)}: {source.repo} is not on {run.target.label}. Import it with `clincot hub import"
                f" {source.repo}`, name another one, or leave the row out with --rows."
            )
    return ""


def models_of(recipe: Recipe) -> dict[str, str]:
    """Return the models of a recipe by their roles: repositories, or kinds that need none."""
    return {role: source.repo or source.kind for role, source in sources_of(recipe).items()}


def _check_method(run: Run) -> None:
    """Refuse a run that holds a round of another method: its pairs would be trained under this row's name."""
    todo = f"Move {run.folder} away, or give another folder with --runs"
    for round_ in range(1, run.recipe.rounds + 1):
        if not check_method(run, round_, todo):
            return
