"""A run and a round -> the tagged LoRA adapter of that round, trained on its preference dataset from the one before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clincot.errors import RoundError
from clincot.executors.world import ALONE, World
from clincot.hub import Hub
from clincot.objectives import OBJECTIVES
from clincot.recipe import Recipe
from clincot.recipe.choices import source_keys
from clincot.recipe.load import key_of
from clincot.recipe.rounds import of_round
from clincot.records.lineage import Lineage, OwnPin, Pin, content_key
from clincot.rows import schema
from clincot.runs import releases
from clincot.runs.models import adapters
from clincot.runs.models.adapters import Adapter
from clincot.runs.models.loading import reference_key
from clincot.runs.models.loads import report_loads
from clincot.runs.redistribution.model_licences import of_adapter
from clincot.runs.releases import Release
from clincot.runs.releases.cards.method import stated_in
from clincot.runs.releases.content import own_pin
from clincot.runs.rounds.curve import training_files
from clincot.runs.rounds.distributed import train_distributed
from clincot.runs.rounds.one_method import refuse_other_method
from clincot.runs.rounds.restore import full_rows
from clincot.runs.rounds.training_lock import training_lock
from clincot.runs.run import Run
from clincot.runs.times import timed

if TYPE_CHECKING:
    from clincot.stages.train.job import TrainJob, TrainOutcome


@timed
def train_round(run: Run, round_: int, *, new_version: bool = False, world: World = ALONE) -> Release:
    """Train, commit and tag the adapter of `round_`; a finished one is returned as it is.

    In a `world` of several processes this is rank 0's part; the others call `join_training` (distributed.py).
    """
    parent = adapters.of_round(run, round_ - 1)
    sampler = parent.sha256 if parent else "base"
    hub, data = preferences_of(run, round_)
    made = releases.read_lineage(hub, data, round_)
    refuse_other_method(run, made)
    _check_sampler(made, sampler, data, parent)
    base = run.target.resolve("model", run.recipe.models.policy.repo, run.recipe.models.policy.revision)
    held = hub.list_files(data)
    config = releases.tag_of(round_)
    rows = sorted(path for path in held if path.startswith(f"{config}/") and path.endswith(".parquet"))
    train = of_round(run.recipe.train, round_)
    initial = adapters.of_round(run, 0) if run.recipe.train.reference == "initial" else None
    of = [sampler, initial.sha256] if initial else [sampler]
    how = (train, run.recipe.image_layout, run.recipe.seed)
    code = source_keys((OBJECTIVES, train.objective))
    written = (*code, *key_of(run.recipe.models.policy.load), *run.recipe.fit_key)
    inputs = content_key(*how, base.sha, *of, [held[path].oid for path in rows], *written)
    own = {"preferences": own_pin(hub, data)} | ({"parent": parent.own} if parent else {})
    own |= {"initial": initial.own} if initial else {}
    pins: dict[str, Pin | OwnPin] = {"policy": base, **own}
    done = releases.finished(run, "model", run.adapter_repo, round_, inputs, new_version=new_version, pins=pins)
    if done:
        train_distributed(run, world, None)
        return done
    if made.facts.get("withheld"):
        local = full_rows(run, hub, data, made)
    else:
        folder = hub.snapshot(data, [f"{config}/*"])
        local = [folder / path for path in rows]
    job = _job(run, round_, base, parent, tuple(local), _reference_fits(made, base, sampler, run.recipe))
    job = replace(job, initial=initial.folder if initial else None)
    report_loads({"policy": run.recipe.models.policy})
    with training_lock(run.work(config), f"{run.name}, {config}"):
        outcome = train_distributed(run, world, job)
        assert outcome is not None
        return _commit(run, outcome, made, inputs, base, own)


def _commit(run: Run, outcome: TrainOutcome, made: Lineage, inputs: str, base: Pin, own: dict[str, OwnPin]) -> Release:
    config = releases.tag_of(made.round)
    lineage = run.lineage(
        "train",
        made.round,
        inputs,
        pins={"policy": base},
        own=own,
        sampled_from=made.sampled_from,
        adapter_sha256=adapters.sha256_of(outcome.adapter),
        facts=_facts(outcome, made, config) | of_adapter(run, base, made),
    )
    logged = training_files(outcome.history, f"{run.name}, {config}", run.work(config, "train"), config)
    files = {path.name: path for path in sorted(outcome.adapter.iterdir())} | logged
    return releases.commit(run, "model", run.adapter_repo, files, lineage)


def _facts(outcome: TrainOutcome, made: Lineage, config: str) -> dict[str, Any]:
    facts = {key: value for key, value in outcome.facts.items() if key != "seconds"}
    handed_on = {key: made.facts[key] for key in ("licence", "languages", "imported") if key in made.facts}
    method = replace(stated_in(made), sentences=()).to_facts()  # the dataset's card says what it did
    return facts | handed_on | {"curve": f"{config}/curve.png", "method": method}


def _job(run: Run, round_: int, base: Pin, parent: Adapter | None, rows: tuple[Path, ...], stored: bool) -> TrainJob:
    from clincot.stages.train.job import TrainJob

    for path in rows:
        schema.check_columns(path)
    return TrainJob(
        recipe=run.recipe,
        round=round_,
        rows=rows,
        base=run.target.snapshot(base),
        base_repo=base.repo,
        parent=parent.folder if parent else None,
        folder=run.work(releases.tag_of(round_), "train"),
        stored_reference=stored,
    )


def preferences_of(run: Run, round_: int) -> tuple[Hub, Pin]:
    """Return where the preference data of a round are; raises RoundError when they are absent."""
    found = releases.find(run, "dataset", run.preferences_repo, round_)
    if found is None:
        raise RoundError(
            f"round {round_} has no preference data: {run.preferences_repo} has no tag {releases.tag_of(round_)!r} in"
            f" {run.store.label} or on {run.target.label}."
            f" Run `clincot build-data --round {round_} --name {run.name}` first."
        )
    return found


def _check_sampler(made: Lineage, sampler: str, data: Pin, parent: Adapter | None) -> None:
    """Refuse pairs that another policy wrote: the reference of Eq. 7 is the policy that sampled them."""
    if made.sampled_from is None or made.sampled_from == sampler:
        return
    wrote = "the base" if made.sampled_from == "base" else f"the adapter {made.sampled_from[:12]}"
    now = f"the adapter {sampler[:12]} ({parent.pin})" if parent else "the base"
    raise RoundError(
        f"{data}: was sampled from {wrote}, but this round starts from {now}."
        " Build the round again with --new-version, or name the run it belongs to with --name."
    )


def _reference_fits(made: Lineage, base: Pin, sampler: str, recipe: Recipe) -> bool:
    wanted = reference_key(base, sampler, load=recipe.models.policy.load, fit=recipe.fit_key)
    return made.keys.get("reference") == wanted["reference"]
