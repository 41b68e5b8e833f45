"""Examples -> shards (groups of images with all their questions); a shard's result -> its parts, report and the facts.

A shard is cut by the recipe, never by the number of processes, so rows do not depend on who builds it or when.
"""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from datasets import Features

from clincot.engines.base import Probed, ServedAbilities
from clincot.judges import cache
from clincot.judges.cache import CachedJudge
from clincot.judges.consensus import DEBATE
from clincot.lm.requests import Counters
from clincot.records import Candidate, Example
from clincot.rows import schema
from clincot.stages.sample.serving import Models
from clincot.stages.sample.workbench import ShardResult

RATINGS = "ratings"
SWAPS = "model_swaps"
CALLS = ("generated_texts", "scored_choices")  # of all models of a round: what a method cost
MAPS = "heat-maps.parquet"
TOTALS = (
    "questions",
    "images",
    "hypotheses",
    "candidates",
    "cut_candidates",
)


@dataclass(frozen=True)
class Part:
    """One parquet file of a shard and of the merged round: its name, its config's ending, its columns and rows.

    Without a config it is no part of the round's dataset and stays in the run's folder.
    """

    name: str
    config: str | None
    features: Features
    rows: Callable[[ShardResult, int], list[dict[str, Any]]]


PARTS = (
    Part(
        "candidates.parquet",
        "-candidates",
        schema.CANDIDATE_FEATURES,
        lambda r, n: [schema.candidate_row(c, n) for c in r.candidates],
    ),
    Part(
        "regions.parquet",
        "-regions",
        schema.REGION_FEATURES,
        lambda r, n: [schema.region_row(looked) for looked in r.hypotheses],
    ),
    Part(MAPS, None, schema.MAP_FEATURES, lambda r, n: [dict(vars(one)) for one in r.maps]),
)


@runtime_checkable
class Counting(Protocol):
    """An engine or judge that counts what it computes."""

    @property
    def counters(self) -> Counters: ...


def cut_shards(examples: Sequence[Example], shard_images: int) -> list[tuple[Example, ...]]:
    """Group examples by image, in order, and put `shard_images` images with all their questions into each shard."""
    collects = gc.isenabled()
    gc.disable()  # a list for each image makes it look at all of them again: 1.9 us a shard for 0.8 at 100,000
    try:
        by_image: dict[str, list[Example]] = {}
        for example in examples:
            by_image.setdefault(example.image_id, []).append(example)
        groups = iter(by_image.values())
        shards = []
        while images := list(islice(groups, shard_images)):
            shards.append(tuple(example for questions in images for example in questions))
        return shards
    finally:
        if collects:
            gc.enable()


def shards_key(shards: Sequence[Sequence[Example]]) -> str:
    """Return a sha256 over the ids of all examples and where one shard ends and the next begins."""
    digest = hashlib.sha256()
    for shard in shards:
        digest.update("\n".join(example.id for example in shard).encode() + b"\n\n")
    return digest.hexdigest()


def counts_of(models: Models) -> Counter[str]:
    """Return what the engines and the judges have computed so far, added up, and how often models were swapped."""
    counts: Counter[str] = Counter()
    for model in (*models.engines, *models.judges, models.editor):
        if isinstance(model, Counting):
            counts.update(vars(model.counters) | {"saved_prefill_tokens": model.counters.saved_prefill_tokens})
    if models.parking is not None:
        counts[SWAPS] = models.parking.swaps
    return counts


def abilities_of(models: Models) -> dict[str, dict[str, Any]]:
    """Return what each model that was tried at load was found to do, by its role in the build."""
    critic = models.critic.engine if models.critic else None
    roles: dict[str, object] = {"policy": models.policy, "base": models.base, "critic": critic}
    found = {role: asdict(model.abilities) for role, model in roles.items() if isinstance(model, Probed)}
    for number, judge in enumerate(models.judges, 1):  # of those in process the pins say all
        if not isinstance(judge, CachedJudge):
            continue
        engine = getattr(judge.judge, "engine", None)
        if isinstance(engine, Probed) and isinstance(engine.abilities, ServedAbilities) and engine is not models.policy:
            found[f"judge-{number}"] = asdict(engine.abilities) | {"scoring": judge.scoring}
    writer = getattr(models.editor, "writer", None)
    if isinstance(writer, Probed):
        found["editor"] = asdict(writer.abilities)
    return found


def write_parts(result: ShardResult, round_: int, folder: Path) -> None:
    """Write the parts that have rows into `folder`, and what the judges said for the first time."""
    for part in PARTS:
        rows = part.rows(result, round_)
        if rows:
            schema.write_parquet([schema.table(rows, part.features)], folder / part.name, part.features)
    if result.ratings:
        cache.write(folder, RATINGS, result.ratings)


def shard_report(result: ShardResult, shard: Sequence[Example], counters: Mapping[str, int]) -> dict[str, Any]:
    """Return the figures of one shard, of which `Totals` makes the facts of the round."""
    return {
        "questions": len(shard),
        "images": len({example.image_id for example in shard}),
        "hypotheses": len({(looked.image_id, looked.name) for looked in result.hypotheses}),
        "candidates": len(result.candidates),
        "cut_candidates": sum(candidate.cut for candidate in result.candidates),
        "drops": result.drops,
        "rated": result.rated,
        "sources": Counter(candidate.source for candidate in result.candidates),
        "views": Counter(
            _seen(candidate) for candidate in result.candidates if candidate.source == "policy" and candidate.views
        ),
        "unreadable_images": list(result.unreadable),
        "scores": _histogram(result.candidates),
        "judge_failures": failures_of(result),
        "counters": dict(sorted(counters.items())),
    }


def failures_of(result: ShardResult) -> int:
    """Return how many ratings of candidates were failures; the outcome of a debate is no rating of a judge."""
    scores = (score for candidate in result.candidates for score in candidate.judge_scores)
    return sum(score.own is None and score.judge != DEBATE for score in scores)


@dataclass
class Totals:
    """The reports of all shards, added up one by one, so that memory holds one of them."""

    sums: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)
    rated: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    views: Counter[str] = field(default_factory=Counter)
    scores: list[int] = field(default_factory=lambda: [0] * 10)
    unreadable: list[str] = field(default_factory=list)
    memory_splits: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    abilities: dict[str, Any] = field(default_factory=dict)
    swaps: int = 0
    parts: set[str] = field(default_factory=set)

    def add(self, report: Mapping[str, Any]) -> None:
        self.sums.update({name: report[name] for name in TOTALS})
        for name in ("drops", "rated", "sources", "views"):
            getattr(self, name).update(report[name])
        self.scores = [sum(both) for both in zip(self.scores, report["scores"], strict=True)]
        self.unreadable += report["unreadable_images"]
        self.memory_splits += report["counters"].get("memory_splits", 0)
        self.calls.update({name: report["counters"].get(name, 0) for name in CALLS})
        self.abilities |= report.get("abilities", {})
        self.swaps += report["counters"].get(SWAPS, 0)
        self.parts.update(report.get("parts", ()))  # the journal adds them to a report

    def facts(self) -> dict[str, Any]:
        """Return the facts that the card shows; `memory_splits` above 0 means equal rows within tolerance only.

        `model_swaps` is there where models took turns on a GPU (`models.resident`).
        """
        return {
            **{name: self.sums[name] for name in ("questions", "images", "hypotheses", "candidates")},
            "cut_texts": {"candidates": self.sums["cut_candidates"]},
            "drops": dict(sorted(self.drops.items())),
            "rated": dict(sorted(self.rated.items())),
            "candidate_sources": dict(sorted(self.sources.items())),
            "candidate_views": dict(sorted(self.views.items())),
            "unreadable_images": sorted(self.unreadable),
            "scores_histogram": self.scores,
            "memory_splits": self.memory_splits,
            "calls": {name: self.calls[name] for name in CALLS},
            "abilities": self.abilities,
            **({SWAPS: self.swaps} if self.swaps else {}),
        }


def _seen(candidate: Candidate) -> str:
    """Return what the policy saw as a card says it: `image, crop`."""
    return ", ".join(view.kind.replace("_", " ") for view in candidate.views)


def _histogram(candidates: Sequence[Candidate]) -> list[int]:
    tenths = Counter(min(9, int(c.score * 10)) for c in candidates if c.score is not None)
    return [tenths[i] for i in range(10)]
