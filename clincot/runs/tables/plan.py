"""A table, starts, seeds and rows -> the results that it needs, each with its recipe; everything is checked here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from clincot import methods
from clincot.errors import ClincotError, RecipeError
from clincot.recipe import Recipe, load_recipe
from clincot.recipe.choices import source_keys
from clincot.recipe.own_data import short
from clincot.records.lineage import content_key
from clincot.runs.checks import check_names, check_run_name
from clincot.runs.tables.decided import decided
from clincot.runs.tables.lineup import BASE, MATCHED, TABLES, Start, TableRow, chosen, outside
from clincot.runs.tables.own_values import own_values

SFT = next(row for row in TABLES[1] if row.name == "sft")
SFT_UNIT = "sft-sft"
REFERENCE = "clincot"  # the recipe whose data, steps and hypotheses every row has
SEEDS = 1000


@dataclass(frozen=True)
class Asked:
    """What a user asks for: the options of `clincot table`."""

    table: int
    starts: tuple[Start, ...] = ("base", "sft")
    seeds: int = 1
    rows: tuple[str, ...] = ()
    setting: str = "phantom"
    benchmark: str = ""
    hardware: str = ""
    overrides: tuple[str, ...] = ()
    tuned: tuple[tuple[str, tuple[str, ...]], ...] = ()  # by `unit`, the overrides that a search tries or has chosen
    trial: str = ""  # what ends the names of jobs that are tried, "" for those of the table


@dataclass(frozen=True)
class Job:
    """One result to make: a recipe from a start with a seed. Several rows may read the same one.

    `key` is that of its recipe: a result that has it is not made again. `matched` is the job whose tokens are counted
    for it, `from_sft` the job whose adapter it starts from, `merged` the one whose merged model is its policy.
    """

    row: TableRow
    start: Start
    seed: int
    recipe: Recipe
    key: str
    matched: Job | None = None
    from_sft: Job | None = None
    merged: Job | None = None
    trial: str = ""

    @property
    def unit(self) -> str:
        """Return what the job is called without its seed, in file names and for the search of its numbers."""
        return unit_of(self.row, self.start) + self.trial

    @property
    def name(self) -> str:
        """Return its name: of its run, and of the file of its result."""
        return f"{self.unit}-s{self.seed}"

    @property
    def after(self) -> tuple[Job, ...]:
        """Return the jobs that are made before it."""
        return tuple(one for one in (self.from_sft, self.merged, self.matched) if one is not None)

    @property
    def is_base(self) -> bool:
        """Return whether nothing is trained."""
        return self.start == "base" and not self.recipe.rounds and self.recipe.train.start == "base"

    @property
    def needs(self) -> frozenset[str]:
        """Return the roles of the recipe's method."""
        return methods.load(self.recipe.method.name).needs


@dataclass(frozen=True)
class Plan:
    """A table's rows by start, the jobs of each row, and rows that this setting cannot make, with the reason."""

    asked: Asked
    rows: tuple[tuple[Start, TableRow], ...]
    jobs: tuple[Job, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def benchmark(self) -> str:
        return self.jobs[0].recipe.benchmark

    @property
    def world(self) -> str:
        """Return the name of the setting and benchmark, which results and runs of a table have in common."""
        recipe, tuned = self.jobs[0].recipe, bool(self.asked.tuned and not self.asked.trial)
        return f"{recipe.setting}-{short(recipe.benchmark)}{'-tuned' * tuned}"

    def of(self, start: Start, row: TableRow) -> list[Job]:
        """Return the jobs of a row, one a seed."""
        unit = unit_of(row, start)
        return [job for job in self.jobs if job.unit == unit]


def unit_of(row: TableRow, start: Start) -> str:
    """Return `Job.unit` of the jobs of a row."""
    name = "base" if row.name == "base" else MATCHED if row.name == MATCHED else Path(row.recipe).stem
    return name if name == "base" else f"{name}-{start}"


def plan(asked: Asked) -> Plan:
    """Resolve and check every recipe of the table.

    A row that was named and that this setting cannot make is refused, with the role that is missing; of rows that
    nobody named it is left out, with the reason. A row that needs what no setting has is always left out. Raises
    RecipeError.
    """
    if asked.table not in TABLES:
        raise RecipeError(f"table {asked.table}: the paper's tables are {' and '.join(map(str, TABLES))}. Name one.")
    if not 1 <= asked.seeds <= SEEDS:
        raise RecipeError(f"--seeds {asked.seeds}: is no number of seeds. Give one from 1 to {SEEDS}.")
    lineup, planner = chosen(asked.table, list(asked.rows)), Planner(asked)
    planner.check()
    base = planner.job(BASE, "base", 0)  # every row is compared with it
    jobs = {base.name: base}
    rows: list[tuple[Start, TableRow]] = []
    left_out: dict[str, str] = {}
    for start in asked.starts:
        for row in (row for row in lineup if start in row.starts):
            if row.outside:
                left_out[row.name] = outside(asked.table, start, row, base.recipe.benchmark)
                continue
            try:
                made = list(planner.jobs(row, start))
            except ClincotError as error:
                if asked.rows:
                    raise
                left_out[row.name] = str(error)
                continue
            rows.append((start, row))
            jobs |= {job.name: job for one in made for job in with_needed(one)}
    if not rows:
        first = next(iter(left_out.values()), "Give --start base or sft, and rows that have this start.")
        raise RecipeError(f"table {asked.table}: no row is left. {first}")
    return Plan(asked, tuple(rows), tuple(jobs.values()), left_out)


def with_seed(plan: Plan, job: Job, seed: int) -> Job:
    """Return the same row's job with another seed."""
    return Planner(plan.asked).job(job.row, job.start, seed)


@dataclass(frozen=True)
class Planner:
    """Resolves the recipes of one table; `reference` is ClinCoT's, whose data and inference all rows have."""

    asked: Asked

    def check(self) -> None:
        """Raise RecipeError for a setting, benchmark or override with which no row can be made."""
        check_names(self._load(REFERENCE, ("train.start=base",)))

    def jobs(self, row: TableRow, start: Start) -> Iterator[Job]:
        """Yield the row's jobs; what is not trained has one seed, since nothing is drawn."""
        for seed in range(1 if row.name == "base" else self.asked.seeds):
            yield self.job(row, start, seed)

    def job(self, row: TableRow, start: Start, seed: int) -> Job:
        """Return the job of a row, with those that it needs."""
        recipe = self.recipe(row, start, seed)
        merged = self.job(_row(row.merged), start, seed) if row.merged else None
        from_sft = self.job(SFT, start, seed) if start == "sft" and row.recipe != "sft" and not merged else None
        if from_sft is not None and not _same_modules(recipe, from_sft.recipe):
            from_sft = None  # it trains a start that has the modules that its rounds train
        matched = self.job(_row(REFERENCE), start, seed) if row.name == MATCHED else None
        check_names(recipe)
        tried = next(iter(dict(self.asked.tuned)), "")  # of a trial the first, before its start's
        trial = self.asked.trial if unit_of(row, start) == tried else ""
        job = Job(row, start, seed, recipe, "", matched, from_sft, merged, trial)
        check_run_name(job.name, given=False)
        return replace(job, key=_key(job))

    def recipe(self, row: TableRow, start: Start, seed: int) -> Recipe:
        """Return a row's recipe: as many images as ClinCoT's rounds have, and its inference, for every row."""
        reference = self._load(REFERENCE, (f"seed={seed}",))
        trained = "sft" if row.name == MATCHED else "base" if row.merged else start
        own = [
            *own_values(row.recipe),
            f"seed={seed}",
            f"train.start={trained}",
            "evaluate.inference=[direct,region]",
            "evaluate.controls=[]",
            f"evaluate.steps={reference.inference_steps}",
            f"evaluate.hypotheses={reference.inference_hypotheses}",
        ]
        limit = reference.build.max_images * max(1, reference.rounds)
        rounds = max(1, self._load(row.recipe, own).rounds)
        unit, tuned = unit_of(row, start), dict(self.asked.tuned)
        of_start = tuned.get(SFT_UNIT, ()) if start == "sft" and unit != SFT_UNIT else ()
        return self._load(
            row.recipe, (*own, f"build.max_images={-(-limit // rounds)}", *of_start, *tuned.get(unit, ()))
        )

    def _load(self, name: str, more: Sequence[str]) -> Recipe:
        given = self.asked
        return _loaded(name, given.setting, given.benchmark, given.hardware, (*given.overrides, *more))


@cache
def _loaded(name: str, setting: str, benchmark: str, hardware: str, overrides: tuple[str, ...]) -> Recipe:
    where = {"benchmark": benchmark or None, "hardware": hardware or None}
    return load_recipe(name, setting, **where, overrides=overrides)


def _row(name: str) -> TableRow:
    return next(row for row in TABLES[1] if row.name == name)


def _same_modules(one: Recipe, other: Recipe) -> bool:
    """Return whether adapters of both recipes have the same modules, so that one can go on from the other's."""
    return one.train.lora == other.train.lora and (one.train.projector_lr > 0) == (other.train.projector_lr > 0)


def with_needed(job: Job) -> Iterator[Job]:
    """Yield what a job needs before it, then the job."""
    for needed in job.after:
        yield from with_needed(needed)
    yield job


def _key(job: Job) -> str:
    recipe = job.recipe
    own = source_keys((methods.METHODS, recipe.method.name))
    return content_key(decided(recipe), job.unit, *own, *(one.key for one in job.after))
