"""A run and a round -> the tagged preference dataset of that round, sampled from the adapter of the one before."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from filelock import FileLock

from clincot import engines
from clincot.executors.base import Executor
from clincot.judges import cache
from clincot.progress import notice
from clincot.records import Example
from clincot.records.lineage import OwnPin, Pin
from clincot.runs import releases
from clincot.runs.models.loading import reference_key
from clincot.runs.models.loads import report_loads
from clincot.runs.models.served_adapters import served_facts
from clincot.runs.order import RunOrder
from clincot.runs.redistribution.model_licences import licences_of, warn_of_clauses
from clincot.runs.redistribution.redacted import read_rows
from clincot.runs.redistribution.round_files import without_images
from clincot.runs.releases import Release, card_figures
from clincot.runs.roles import sources_of
from clincot.runs.rounds.build_facts import facts_of
from clincot.runs.rounds.made import RATINGS, Made, job_of, made_of
from clincot.runs.rounds.one_method import check_method
from clincot.runs.rounds.own_hypotheses import mapping_lines
from clincot.runs.rounds.share import open_round
from clincot.runs.run import Run
from clincot.runs.times import timed
from clincot.stages.pair.round import PairJob, pair
from clincot.stages.pair.stored import Reread
from clincot.stages.sample.build import BuildOutcome, build, ratings
from clincot.stages.sample.builder import BuildJob
from clincot.stages.sample.shards import cut_shards

LOCK = "commit.lock"  # of two commands that finish a round at the same moment one draws the pairs and tags them


@timed
def build_round(run: Run, round_: int, *, new_version: bool = False, executor: Executor | None = None) -> Release:
    """Build, commit and tag the preference data of `round_`; a finished round is returned as it is.

    The shards are built by the processes of `executor`, or by this one.
    """
    if round_ > 1:
        check_method(run, round_ - 1)
    made, repo = made_of(run, round_), run.preferences_repo
    pins: dict[str, Pin | OwnPin] = {**made.pins, **made.own}
    done = releases.finished(run, "dataset", repo, round_, made.inputs, new_version=new_version, pins=pins)
    if done:
        return done
    licences = licences_of(run, made.pins, sampled=made.sampled_from is not None)
    warn_of_clauses(licences)
    report_loads(sources_of(run.recipe))
    tag = releases.next_tag(run, "dataset", repo, round_)
    job, every = job_of(run, round_, made, tag)
    for line in mapping_lines(run, made.pins.get("proposer"), job.examples):
        notice(line)
    if executor is not None and executor.elsewhere:
        job = replace(job, elsewhere=partial(open_round, RunOrder.of(run), round_, tag, made.inputs))
    outcome = build(job, executor)
    cache.write(run.folder / RATINGS, tag, ratings(job))
    with FileLock(run.work(tag) / LOCK):
        # The same command may have built the round elsewhere meanwhile; its rows are the same.
        done = releases.finished(run, "dataset", repo, round_, made.inputs, new_version=new_version, pins=pins)
        return done or _commit(run, round_, made, _with(draw(job, outcome), licences), every)


def draw(job: BuildJob, sampled: BuildOutcome) -> BuildOutcome:
    """Draw the pairs of a round among what was sampled for it."""
    config, name, path = f"round-{job.round}", "train-00000-of-00001.parquet", job.folder / "merged" / "pairs.parquet"
    candidates, regions = (
        Reread(partial(read_rows, sampled.files[f"{config}-{part}/{name}"])) for part in ("candidates", "regions")
    )
    shards = cut_shards(job.examples, job.recipe.build.shard_images)
    facts = pair(PairJob(job.recipe, job.round, shards, candidates, regions, path), sampled.facts)
    return BuildOutcome({f"{config}/{name}": path, **sampled.files}, facts)


def _with(outcome: BuildOutcome, facts: dict[str, Any]) -> BuildOutcome:
    return replace(outcome, facts=outcome.facts | facts)


def _commit(run: Run, round_: int, made: Made, outcome: BuildOutcome, every: list[Example]) -> Release:
    files, facts = outcome.files, outcome.facts
    if not made.source.redistributable:
        files, more = without_images(files, round_, every)
        facts = facts | more
    elif card_figures.may_show(made.source):
        tag = releases.next_tag(run, "dataset", run.preferences_repo, round_)
        drawn, more = card_figures.of_pairs(files, releases.tag_of(round_), run.work(tag, "build", "figures"))
        files, facts = {**files, **drawn}, facts | more
    source, policy, wrote = run.recipe.models.policy, made.pins["policy"], made.sampled_from
    lineage = run.lineage(
        "build-data",
        round_,
        made.inputs,
        pins=made.pins,
        own=made.own,
        sampled_from=wrote,
        keys=reference_key(policy, wrote, source.kind, source.load, run.recipe.fit_key) if wrote else {},
        facts=facts_of(run.recipe, made.source, facts) | _repairs(run, made) | served_facts(run, [made.parent]),
    )
    return releases.commit(run, "dataset", run.preferences_repo, files, lineage)


def _repairs(run: Run, made: Made) -> dict[str, Any]:
    """Return the rules by which the policy's prompts were repaired, where it wrote the texts."""
    kind = run.recipe.models.policy.kind
    if made.sampled_from is None or kind in engines.SERVED:
        return {}
    rules = engines.repairs_of(kind, run.target.snapshot(made.pins["policy"]))
    return {"prompt_repairs": list(rules)} if rules else {}
