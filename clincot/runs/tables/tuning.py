"""A plan -> the same number of settings of learning rate and beta tried for every row on validation, and the best one.

Every trained row has the same budget: `SETTINGS` trials of one seed. They share the pairs of their first round. The row
"+ SFT" is tried first, and the rows that start after SFT have its numbers for their start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clincot import protocols
from clincot.errors import RecipeError
from clincot.recipe import Recipe
from clincot.runs.tables.lineup import MATCHED
from clincot.runs.tables.plan import SFT_UNIT, Asked, Job, Plan, plan, with_needed
from clincot.runs.tables.stored import Stored
from clincot.runs.tables.summing import Summed
from clincot.runs.tables.table import Say, begin, make, present

RATES, BETAS = (1 / 3, 1.0, 3.0), (1.0, 3.0)  # factors of the recipe's own
BETWEEN = (1.0, 3.0**0.5)  # factors of each of RATES, where no beta matters
SETTINGS = len(RATES) * len(BETAS)
NO_PREFERENCE = 1e-3  # a beta below it gives the preference no gradient to speak of: it is likelihood that is trained
FOLDER = "search"  # below the results: trials answer other questions than those of the table
VALIDATION = "evaluate.split=validation"
NOT_MADE = "not made"


@dataclass(frozen=True)
class Trial:
    """One setting of a row: its job on validation, and the overrides that make it."""

    unit: str
    job: Job
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """What a search found: what is asked for with the chosen settings, and the appendix's lines of all trials."""

    asked: Asked
    lines: tuple[tuple[str, ...], ...]


def settings_of(recipe: Recipe, *, epochs: bool = True) -> list[tuple[str, ...]]:
    """Return the overrides of every setting: multiples of the recipe's rate and beta; of SFT the epochs, not beta.

    Where neither beta nor `epochs` can be chosen, as many rates are tried.
    """
    train = recipe.train
    if not recipe.rounds:
        part, second, numbers, chosen = "sft", "num_train_epochs", train.sft, epochs
    else:
        part, second, numbers = "dpo", "beta", train.dpo
        chosen = float(numbers.get("beta", 0.1)) >= NO_PREFERENCE
    rate, other = float(numbers.get("learning_rate", 1e-6)), float(numbers.get(second, 1 if part == "sft" else 0.1))
    if not chosen:
        return [(f"train.{part}.learning_rate={rate * by * more:.4g}",) for by in RATES for more in BETWEEN]
    return [
        (f"train.{part}.learning_rate={rate * by:.4g}", f"train.{part}.{second}={other * more:.4g}")
        for by in RATES
        for more in BETAS
    ]


def trials_of(planned: Plan, *, of_sft: bool | None = None) -> list[Trial]:
    """Return the trials of every trained row, of "+ SFT" or of the others alone.

    Of matched tokens SFT's epochs are counted, not chosen.
    """
    trained = [job for job in planned.jobs if not job.is_base and job.seed == 0]
    units = {job.unit: job for job in trained if of_sft in (None, job.unit == SFT_UNIT)}
    return [
        Trial(unit, _job(planned.asked, job, number, overrides), overrides)
        for unit, job in units.items()
        for number, overrides in enumerate(settings_of(job.recipe, epochs=job.matched is None), 1)
    ]


def search(
    planned: Plan, results: Path, label: str, *, runs: Path, hub: str, say: Say, only_there: bool = False
) -> Search:
    """Make the trials that are missing, and choose the best setting of each row.

    Raises RecipeError where trials are missing and `only_there` forbids to make them: what was chosen among fewer would
    be no equal budget.
    """
    label = protocols.load(label).label
    tuned, scores, trials = dict(planned.asked.tuned), dict[str, float](), list[Trial]()
    for of_sft in (True, False):
        asked = replace(planned.asked, tuned=tuple(tuned.items()))
        some = trials_of(replace(planned, asked=asked), of_sft=of_sft)
        found = _scores(planned, some, results, label, runs=runs, hub=hub, say=say, only_there=only_there)
        tuned |= {unit: trial.overrides for unit, trial in chosen(some, found).items()}
        scores, trials = scores | found, [*trials, *some]
    lines = lines_of(trials, scores, chosen(trials, scores))
    return Search(replace(planned.asked, tuned=tuple(tuned.items())), lines)


def _scores(
    planned: Plan,
    trials: Sequence[Trial],
    results: Path,
    label: str,
    *,
    runs: Path,
    hub: str,
    say: Say,
    only_there: bool,
) -> dict[str, float]:
    """Return the score of each trial by its job's name; the missing ones are made first."""
    if not trials:
        return {}
    jobs = {job.name: job for trial in trials for job in with_needed(trial.job)}
    asked = replace(planned.asked, overrides=(*planned.asked.overrides, VALIDATION))
    ours, folder = Plan(asked, planned.rows, tuple(jobs.values())), results / FOLDER
    there = present(ours, folder)
    made, named = list(there.found), {trial.job.name for trial in trials}
    missing = [job for job in there.missing if job.name in named]
    if missing and only_there:
        raise RecipeError(
            f"--tune --show: {len(missing)} of {len(named)} trials are missing in {folder / ours.world}, the first"
            f" {missing[0].name}. Leave --show out to make them."
        )
    if there.missing and not only_there:
        made += make(ours, begin(ours, there.missing, runs=runs, hub=hub, say=say), folder, say)
    return {one.name: score_of(one, planned, label) for one in made if one.name in named}


def chosen(trials: Sequence[Trial], scores: Mapping[str, float]) -> dict[str, Trial]:
    """Return the best trial of each row by its score on validation, the first of equal ones; rows without: none."""
    best: dict[str, Trial] = {}
    for trial in trials:
        if trial.job.name in scores and (
            trial.unit not in best or scores[trial.job.name] > scores[best[trial.unit].job.name]
        ):
            best[trial.unit] = trial
    return best


def lines_of(
    trials: Sequence[Trial], scores: Mapping[str, float], best: Mapping[str, Trial]
) -> tuple[tuple[str, ...], ...]:
    """Return the lines of the appendix: row, setting, score on validation in percent, and whether it was chosen."""
    return tuple(
        (
            trial.unit,
            ", ".join(trial.overrides),
            f"{scores[trial.job.name]:.2f}" if trial.job.name in scores else NOT_MADE,
            "yes" if best.get(trial.unit) == trial else "",
        )
        for trial in trials
    )


def score_of(one: Stored, planned: Plan, label: str) -> float:
    """Return the mean of a result's values over the table's columns and both ways of asking, in percent."""
    found = Summed(planned, {one.unit: {one.seed: one}}, label, resamples=1)
    values = [
        100 * value
        for sums in one.sums[one.last].values()
        for measure in found.columns
        if (value := found.plain(sums.get(f"{label}/{measure.name}"), measure)) is not None
    ]
    return sum(values) / len(values)


def _job(asked: Asked, job: Job, number: int, overrides: tuple[str, ...]) -> Job:
    """Return the job of a trial: the row's, with one seed, on validation."""
    one = replace(
        asked,
        starts=(job.start,),
        seeds=1,
        rows=(job.row.name if job.row.name in ("base", "sft", MATCHED) else job.row.recipe,),
        overrides=(*asked.overrides, VALIDATION),
        tuned=((job.unit, overrides), *((unit, of) for unit, of in asked.tuned if unit == SFT_UNIT != job.unit)),
        trial=f"-t{number}",
    )
    return next(found for found in plan(one).jobs if found.unit == f"{job.unit}-t{number}")
