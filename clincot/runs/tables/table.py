"""What a user asks for -> the results that are there, and those that are made now, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clincot import protocols
from clincot.errors import ClincotError, DataError, DiskFull, did_you_mean
from clincot.records.lineage import content_key
from clincot.runs.tables import stored
from clincot.runs.tables.code import code_key
from clincot.runs.tables.lineup import TABLES
from clincot.runs.tables.plan import Job, Plan, unit_of, with_seed
from clincot.runs.tables.stored import Stored

if TYPE_CHECKING:
    from clincot.runs.tables.making import Workshop

Say = Callable[[str], None]
DIGITS = 6


@dataclass(frozen=True)
class Present:
    """The results of a plan that a folder holds, and the jobs that have none.

    `more` are results of further seeds, which the table shows although nobody asked for them now.
    """

    found: tuple[Stored, ...]
    missing: tuple[Job, ...]
    more: tuple[Stored, ...] = field(default=())

    @property
    def all(self) -> list[Stored]:
        return [*self.found, *self.more]


def present(plan: Plan, folder: Path, *, again: bool = False) -> Present:
    """Read the results of the plan's jobs in `folder`; none counts with `again`.

    Raises DataError for a file that holds no result, and for one of other settings: it is not overwritten unasked.
    """
    if again:
        return Present((), plan.jobs)
    found, missing = [], []
    for job in plan.jobs:
        path = stored.path_of(folder, plan.world, job.name)
        if path.is_file():
            found.append(_checked(stored.read(path), job, path))
        else:
            missing.append(job)
    more = tuple(_more_seeds(plan, folder))
    stored.same_questions([*found, *more])
    return Present(tuple(found), tuple(missing), more)


@dataclass(frozen=True)
class Begun:
    """What is made now: `jobs` in their order; `left_out`: rows that nobody named and that lack a model on the Hub.

    `failed`: why a job, by its name, ended without a result.
    """

    workshop: Workshop
    jobs: tuple[Job, ...]
    left_out: dict[str, str]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, str]:
        """Return why rows have no result, by their names."""
        return self.left_out | {job.row.name: self.failed[job.name] for job in self.jobs if job.name in self.failed}


def begin(plan: Plan, missing: Sequence[Job], *, runs: Path, hub: str, say: Say) -> Begun:
    """Check against the target Hub and the runs what is to be made; nothing is made yet.

    Raises RecipeError for a row that was named and cannot be made, and for a run with a round of another method.
    """
    from clincot.runs.run import open_run

    place = runs / folder_of(plan, hub)
    # The stages import Hub clients, which read once which Hub to use: the run that names it is opened first.
    open_run(missing[0].recipe, name=missing[0].name, hub=hub or None, folder=place)
    from clincot.runs.tables.making import Workshop
    from clincot.runs.tables.reach import unreached

    workshop = Workshop(place, hub, say)
    left_out = unreached(workshop, missing, named=bool(plan.asked.rows))
    return Begun(workshop, tuple(job for job in missing if job.row.name not in left_out), left_out)


def make(plan: Plan, begun: Begun, folder: Path, say: Say, *, there: Sequence[Stored] = ()) -> Iterator[Stored]:
    """Make one result after the other; each is yielded when its file is written.

    Raises DataError after the first one that answers other questions than those that are `there`, not after the last.

    A job that cannot be made is said and put into `begun.failed`, and the next one is made.
    """
    for number, job in enumerate(begun.jobs, 1):
        say(f"{job.name} ({number} of {len(begun.jobs)})")
        try:
            one = begun.workshop.make(job)
        except DiskFull:
            raise
        except ClincotError as error:
            say(f"{job.name}: left out. {error}")
            begun.failed[job.name] = str(error)
            continue
        say(f"wrote {stored.write(folder, plan.world, one)}")
        if there:
            stored.same_questions([there[0], one])
        yield one


def folder_of(plan: Plan, hub: str) -> str:
    """Return the name of the folder of a table's runs: other settings or another code never find each other's work."""
    asked = plan.asked
    decided = content_key(asked.setting, asked.benchmark, asked.hardware, asked.overrides, hub, code_key())
    return f"table-{plan.world}-{decided[:DIGITS]}"


def import_results(path: Path, plan: Plan, folder: Path) -> list[Stored]:
    """Check the results in a file or folder and put them into `folder`, marked as made elsewhere.

    Raises DataError for a file that is no result, one of another benchmark or setting, and one that is there.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise DataError(
            f"--import {path}: holds no result. Give a .json file that `clincot table` wrote, or a folder of them."
        )
    taken = [replace(stored.read(file), origin=file.name) for file in files]
    existing = list(read_all(plan, folder))
    names = {one.name for one in existing}
    for file, one in zip(files, taken, strict=True):
        where = f"--import {file}"
        _check_taken(one, plan, where)
        if one.name in names:
            raise DataError(
                f"{where}: {one.name} is there, or given twice. Remove one of them; those that are there are in"
                f" {folder / plan.world}."
            )
        names.add(one.name)
    stored.same_questions([*existing, *taken])
    for one in taken:
        stored.write(folder, plan.world, one)
    return taken


def _check_taken(one: Stored, plan: Plan, where: str) -> None:
    """Raise DataError for a result that this table would not show, or not next to its own."""
    recipe = plan.jobs[0].recipe
    label = protocols.load(recipe.evaluate.protocol).label
    said = {
        "--benchmark": (one.benchmark, plan.benchmark),
        "--setting": (one.setting, recipe.setting),
        "--set evaluate.split": (one.split, recipe.evaluate.split),
        "--set evaluate.protocol": (one.protocol, label),
    }
    for option, (theirs, ours) in said.items():
        if theirs != ours:
            raise DataError(f"{where}: is of {theirs}, not of {ours}. Give its {option}.")
    known = {unit_of(row, start) for rows in TABLES.values() for row in rows for start in row.starts}
    known |= {job.unit for job in plan.jobs}
    if one.unit not in known:
        raise DataError(f"{where}: {one.unit} is no row of a table.{did_you_mean(one.unit, known)}")


def read_all(plan: Plan, folder: Path) -> Iterator[Stored]:
    """Yield every result of the plan's setting and benchmark in `folder`."""
    for path in sorted((folder / plan.world).glob("*.json")):
        yield stored.read(path)


def _checked(one: Stored, job: Job, path: Path) -> Stored:
    if one.name != job.name:
        raise DataError(f"{path}: is the result of {one.name}. Give it its name again.")
    if one.key != job.key and not one.origin:
        raise DataError(
            f"{path}: was made with other settings than these (recipe, setting, --set, or the code of a class of your"
            " own). Give another folder with --results, or make it again with --again."
        )
    return one


def _more_seeds(plan: Plan, folder: Path) -> Iterator[Stored]:
    """Yield results of the plan's rows with other seeds, which must be of the same settings too."""
    jobs, names = {job.unit: job for job in plan.jobs}, {job.name for job in plan.jobs}
    for one in read_all(plan, folder):
        if one.unit in jobs and one.name not in names:
            path = stored.path_of(folder, plan.world, one.name)
            yield _checked(one, with_seed(plan, jobs[one.unit], one.seed), path)
