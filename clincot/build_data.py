"""Stage 1: a round's examples and models -> parquet files of preference pairs and candidates, unit by unit, resumable.

A unit is a fixed group of images with all their questions. A finished unit is one folder, renamed into place when it is
complete; progress is what is on disk, never a counter, so a killed build goes on where it stopped.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from clincot import schema
from clincot.errors import DataError, DiskFull, RoundError
from clincot.lineage import content_key
from clincot.methods import load as load_method
from clincot.methods._workbench import Models, UnitResult, Workbench, run_unit
from clincot.progress import bar
from clincot.recipe import Recipe
from clincot.records import Candidate, Example, PreferencePair

PAIRS, CANDIDATES, REPORT = "pairs.parquet", "candidates.parquet", "unit.json"


@dataclass(frozen=True)
class BuildJob:
    """A round to build: `key` names the policy, the models and the data; a journal of another key is refused.

    `load_models` is called only when a unit is left to do.
    """

    recipe: Recipe
    round: int
    examples: tuple[Example, ...]
    key: str
    folder: Path
    load_models: Callable[[], Models]


@dataclass(frozen=True)
class BuildOutcome:
    """Files by their path in the dataset repository, and the facts that its card shows."""

    files: dict[str, Path]
    facts: dict[str, Any]


def build(job: BuildJob) -> BuildOutcome:
    """Finish every unit of the round and merge them. Raises DataError when no pair comes of it."""
    units = cut_units(job.examples, job.recipe.build.unit_images)
    _open_journal(job, units)
    folders = [job.folder / f"unit-{i:05d}" for i in range(len(units))]
    _finish(job, units, folders)
    return _merge(job, folders)


def cut_units(examples: Sequence[Example], unit_images: int) -> list[tuple[Example, ...]]:
    """Group examples by image, in order, and put `unit_images` images with all their questions into each unit."""
    by_image: dict[str, list[Example]] = {}
    for example in examples:
        by_image.setdefault(example.image_id, []).append(example)
    groups = iter(by_image.values())
    units = []
    while images := list(islice(groups, unit_images)):
        units.append(tuple(example for questions in images for example in questions))
    return units


def _open_journal(job: BuildJob, units: Sequence[Sequence[Example]]) -> None:
    plan = {
        "round": job.round,
        "key": content_key(job.key, job.recipe.build.__repr__(), job.recipe.method, job.recipe.seed),
        "units": [[example.id for example in unit] for unit in units],
    }
    text = json.dumps(plan, indent=1, sort_keys=True)
    path = job.folder / "plan.json"
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise RoundError(
                f"{job.folder}: holds an unfinished build with other settings, models or data."
                f" Finish it with those, give --name for a new run, or delete the folder."
            )
        return
    try:
        job.folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(text, encoding="utf-8")
        schema.sync(partial)
        partial.rename(path)
    except OSError as error:
        raise DiskFull(
            f"{job.folder}: cannot be written ({error.strerror}). Free space or give another folder."
        ) from error


def _finish(job: BuildJob, units: Sequence[tuple[Example, ...]], folders: Sequence[Path]) -> None:
    left = [(unit, folder) for unit, folder in zip(units, folders, strict=True) if not (folder / REPORT).exists()]
    if not left:
        return
    method = load_method(job.recipe.method)
    models = job.load_models()
    with bar(f"round {job.round}: building pairs", sum(len(unit) for unit in units), "questions") as advance:
        advance(sum(len(unit) for unit in units) - sum(len(unit) for unit, _ in left))
        for unit, folder in left:
            result = run_unit(method, unit, Workbench(job.recipe, job.round, models))
            _write_unit(result, unit, folder, job.round)
            advance(len(unit))


def _write_unit(result: UnitResult, unit: Sequence[Example], folder: Path, round_: int) -> None:
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    pairs = [schema.pair_row(pair, round_) for pair in result.pairs]
    candidates = [schema.candidate_row(candidate, round_) for candidate in result.candidates]
    if pairs:
        schema.write_parquet([schema.table(pairs, schema.PAIR_FEATURES)], partial / PAIRS, schema.PAIR_FEATURES)
    if candidates:
        rows = schema.table(candidates, schema.CANDIDATE_FEATURES)
        schema.write_parquet([rows], partial / CANDIDATES, schema.CANDIDATE_FEATURES)
    (partial / REPORT).write_text(json.dumps(_unit_report(result, unit), sort_keys=True), encoding="utf-8")
    schema.sync(partial / REPORT)
    schema.sync(partial)
    partial.rename(folder)
    schema.sync(folder.parent)


def _unit_report(result: UnitResult, unit: Sequence[Example]) -> dict[str, Any]:
    return {
        "questions": len(unit),
        "images": len({example.image_id for example in unit}),
        "pairs": len(result.pairs),
        "candidates": len(result.candidates),
        "drops": result.drops,
        "unreadable_images": list(result.unreadable),
        "scores": _histogram(result.candidates),
        "words_chosen": sum(len(pair.chosen.text.split()) for pair in result.pairs),
        "words_rejected": sum(len(pair.rejected.text.split()) for pair in result.pairs),
        "distinct_image_bytes": sum(map(len, _distinct_images(result.pairs))),
    }


def _histogram(candidates: Sequence[Candidate]) -> list[int]:
    tenths = Counter(min(9, int(c.score * 10)) for c in candidates if c.score is not None)
    return [tenths[i] for i in range(10)]


def _distinct_images(pairs: Sequence[PreferencePair]) -> set[bytes]:
    found = {pair.image for pair in pairs}
    for pair in pairs:
        found |= {side.region.crop for side in (pair.chosen, pair.rejected) if side.region is not None}
    return found


def _merge(job: BuildJob, folders: Sequence[Path]) -> BuildOutcome:
    reports = [json.loads((folder / REPORT).read_text(encoding="utf-8")) for folder in folders]
    facts = _facts(reports)
    if not facts["pairs"]:
        raise DataError(
            f"round {job.round}: no pair came out of {facts['questions']} questions ({facts['drops']})."
            " Lower build.min_gap, ask for more candidates, or look at the judges."
        )
    merged = job.folder / "merged"
    merged.mkdir(exist_ok=True)
    files: dict[str, Path] = {}
    for part, config, features in (
        (PAIRS, f"round-{job.round}", schema.PAIR_FEATURES),
        (CANDIDATES, f"round-{job.round}-candidates", schema.CANDIDATE_FEATURES),
    ):
        path = merged / part
        parts = [folder / part for folder in folders if (folder / part).exists()]
        schema.write_parquet(schema.read_tables(parts), path, features)
        files[f"{config}/train-00000-of-00001.parquet"] = path
    facts["size_bytes"] = files[f"round-{job.round}/train-00000-of-00001.parquet"].stat().st_size
    return BuildOutcome(files, facts)


def _facts(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    drops: Counter[str] = Counter()
    for report in reports:
        drops.update(report["drops"])
    totals = {key: sum(report[key] for report in reports) for key in ("questions", "images", "pairs", "candidates")}
    pairs = max(1, totals["pairs"])
    return {
        **totals,
        "drops": dict(sorted(drops.items())),
        "unreadable_images": sorted(name for report in reports for name in report["unreadable_images"]),
        "scores_histogram": [sum(report["scores"][i] for report in reports) for i in range(10)],
        "mean_words_chosen": round(sum(report["words_chosen"] for report in reports) / pairs, 2),
        "mean_words_rejected": round(sum(report["words_rejected"] for report in reports) / pairs, 2),
        "distinct_image_bytes": sum(report["distinct_image_bytes"] for report in reports),
    }
