"""A job of a table -> its result: what is missing of its start, rounds and answers is made, in a separate run.

Runs of one table share what is equal. The adapter `sft` is that of the row "+ SFT". A round whose content key a round
of another run of the table has is taken from there. Answers have one store, so that those of the base exist once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from clincot.records.lineage import Lineage, Pin, package_versions
from clincot.runs import releases
from clincot.runs.evaluation.evaluate import evaluate_rounds
from clincot.runs.evaluation.made import made_of as evaluation_made_of
from clincot.runs.prepare import prepare
from clincot.runs.releases import tag_of
from clincot.runs.releases.tags import belongs
from clincot.runs.roles import sources_of
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.made import made_of
from clincot.runs.rounds.sft import train_start
from clincot.runs.rounds.train import train_round
from clincot.runs.run import Run, open_run
from clincot.runs.tables.code import code_key
from clincot.runs.tables.fairness import facts_of
from clincot.runs.tables.grids import asked_of, image_keys, questions_key, sums_of
from clincot.runs.tables.matched import matched_recipe
from clincot.runs.tables.merging import merged_recipe
from clincot.runs.tables.plan import Job
from clincot.runs.tables.stored import Facts, Stored

Say = Callable[[str], None]
T = TypeVar("T")
ANSWERS = "answers"  # below the folder of a table's runs


@dataclass(frozen=True)
class Workshop:
    """Where a table's runs are: `folder` holds them all, `hub` is the target Hub of each."""

    folder: Path
    hub: str
    say: Say

    def open(self, job: Job) -> Run:
        """Open the job's run; its answers are in the store of all runs of the table."""
        run = open_run(job.recipe, name=job.name, hub=self.hub or None, folder=self.folder)
        run.folder.mkdir(parents=True, exist_ok=True)
        shared, own = self.folder / ANSWERS, run.folder / ANSWERS
        shared.mkdir(exist_ok=True)
        if not own.exists():
            own.symlink_to(os.path.relpath(shared, own.parent), target_is_directory=True)
        return run

    def make(self, job: Job) -> Stored:
        """Return the job's result; what was made before is not made again."""
        began, busy = time.monotonic(), _cpu()
        run = self._trained(job)
        try:
            took = {"seconds": round(time.monotonic() - began), "cpu_seconds": round(_cpu() - busy)}
            before = self._of(job.merged, _last_facts) if job.merged else None
            return _result(run, job, took, before)
        finally:
            run.store.close()

    def _trained(self, job: Job) -> Run:
        """Return the job's run with its start and all rounds, and make those of the jobs before it."""
        for needed in job.after:  # its result may be there, from another machine, without its adapter
            self._trained(needed).store.close()
        run = self.open(job)
        try:
            prepare(run, self.say, ("train", run.recipe.evaluate.split))
            run = self._started(run, job)
            for round_ in range(1, run.recipe.rounds + 1):
                self.say(f"{job.name}: round {round_} of {run.recipe.rounds}")
                self._take_round(run, round_)
                build_round(run, round_)
                train_round(run, round_)
        except BaseException:
            run.store.close()
            raise
        return run

    def _started(self, run: Run, job: Job) -> Run:
        """Return the run with its recipe, and its start in its store, as they are after the jobs before it."""
        if job.matched is not None:
            run = replace(run, recipe=self._of(job.matched, partial(matched_recipe, run)))
        if job.merged is not None:
            run = replace(run, recipe=self._of(job.merged, partial(merged_recipe, run, key=job.merged.key)))
        if job.from_sft is not None:
            if releases.find(run, "model", run.adapter_repo, 0) is None:
                self._of(job.from_sft, partial(_start, run))
        elif run.start == "sft":
            train_start(run)
        return run

    def _of(self, other: Job, read: Callable[[Run], T]) -> T:
        """Return what `read` makes of the run of another job."""
        source = self.open(other)
        try:
            return read(source)
        finally:
            source.store.close()

    def _take_round(self, run: Run, round_: int) -> None:
        """Take a round's pairs from another run of the table that made them of the same."""
        if releases.find(run, "dataset", run.preferences_repo, round_) is not None:
            return
        inputs = made_of(run, round_).inputs
        for name, source in self._others(run):
            try:
                found = releases.find(source, "dataset", source.preferences_repo, round_)
                made = releases.read_lineage(*found, round_) if found else None
                if found and made and made.inputs == inputs:
                    self.say(f"{run.name}: round {round_} has the pairs of {name}")
                    _copy(source, found[1], run, run.preferences_repo, made)
                    return
            finally:
                source.store.close()

    def _others(self, run: Run) -> Iterator[tuple[str, Run]]:
        """Yield the other runs of the table as this run's recipe opens them."""
        for store in sorted(self.folder.glob("*/store")):
            name = store.parent.name
            if name != run.name:
                yield name, open_run(run.recipe, name=name, hub=self.hub or None, folder=self.folder)


def _start(run: Run, source: Run) -> None:
    """Put the adapter `sft` of the row "+ SFT" into the run's store."""
    found = releases.find(source, "model", source.adapter_repo, 0)
    assert found is not None  # that job was made before this one
    _copy(source, found[1], run, run.adapter_repo, releases.read_lineage(*found, 0, "sft"))


def _last_facts(run: Run) -> Facts:
    """Return what the run's last adapter was given."""
    return facts_of(run, run.recipe.rounds, {})[tag_of(run.recipe.rounds)]


def _copy(source: Run, pin: Pin, run: Run, repo: str, made: Lineage) -> None:
    """Commit a round of another run with its lineage, under this run's name."""
    folder, round_ = source.store.snapshot(pin), tag_of(made.round, run.start)
    files = [path for path in source.store.list_files(pin) if belongs(path, round_) and not path.startswith("rounds/")]
    releases.commit(run, pin.kind, repo, {path: folder / path for path in files}, replace(made, run=run.name))


def _cpu() -> float:
    """Return the CPU seconds of this process and of those that it started and that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _result(run: Run, job: Job, took: dict[str, int], before: Facts | None) -> Stored:
    evaluated = evaluate_rounds(run, run.recipe.rounds)
    evaluation = evaluated.evaluation
    splits = evaluation_made_of(run, run.recipe.rounds).splits
    examples = asked_of(splits.asked, evaluation)
    sums, counts = sums_of(evaluation, examples)
    last = tag_of(run.recipe.rounds, run.start)
    trained = {name: found for name, found in sums.items() if name != "base" or last == "base"}
    facts = facts_of(run, run.recipe.rounds, evaluation.contamination, before)
    return Stored(
        unit=job.unit,
        seed=job.seed,
        key=job.key,
        code=code_key(),
        setting=run.recipe.setting,
        benchmark=evaluation.benchmark,
        split=evaluation.split,
        protocol=evaluation.protocol,
        questions=questions_key(examples),
        images=image_keys(examples),
        last=last,
        sums=trained,
        counts=counts,
        facts={name: facts[name] for name in trained},
        notes=_notes(run, job) | took,
    )


def _notes(run: Run, job: Job) -> dict[str, Any]:
    """Return what the appendix shows of a result: settings and versions."""
    train = asdict(run.recipe.train)
    settings = {"dpo": train["dpo"], "sft": train["sft"], "lora": train["lora"]}
    sources = (*sources_of(job.recipe).values(), job.recipe.models.proposer)  # the policy, not what was merged into it
    named = ("objective", "margin", "conditioning", "nll_weight", "projector_lr", "preferences")
    return {
        "method": run.recipe.method.tree(),
        "rounds": run.recipe.rounds,
        "images": run.recipe.build.max_images,
        "models": list(dict.fromkeys(source.repo for source in sources if source.repo)),
        "train": settings | {name: train[name] for name in named},
        "packages": package_versions(),
    }
