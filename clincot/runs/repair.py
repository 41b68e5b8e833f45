"""A finished round and other settings for drawing pairs -> its pairs again as a new version, without any model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clincot import benchmarks
from clincot.errors import DataError, RecipeError
from clincot.hub import Hub
from clincot.recipe import Recipe, recipe_from_yaml
from clincot.records import Example
from clincot.records.lineage import Lineage, Pin, content_key
from clincot.rows import schema
from clincot.runs import releases
from clincot.runs._redraw import Redraw, same_chain
from clincot.runs.build import examples_of, inputs_of, without_pictures
from clincot.runs.build_facts import facts_of, pairing_of
from clincot.runs.redistribution import redacted
from clincot.runs.redistribution.redacted import Row
from clincot.runs.releases import Release
from clincot.runs.releases.content import own_pin
from clincot.runs.roles import judge_sources
from clincot.runs.run import Run
from clincot.runs.train import preferences_of
from clincot.stages.sample.build import BuildOutcome
from clincot.stages.sample.shards import PARTS, Totals, cut_units, unit_report, write_parts

REPAIRABLE = ("clincot",)  # methods whose pairs are a view of scored candidates


def repair_round(run: Run, round_: int) -> Release:
    """Draw the pairs of the newest version of `round_` again by the run's settings, commit and tag them.

    Raises RecipeError for settings that only a build can change, DataError when the stored round does not suffice.
    """
    hub, data = preferences_of(run, round_)
    made = releases.read_lineage(hub, data, round_)
    if made.method not in REPAIRABLE:
        raise DataError(f"{data}: pairs of {made.method!r} are no choice among candidates. Build the round again.")
    text = hub.read(data, f"rounds/{releases.tag_of(round_)}/recipe.yaml").decode()
    old = recipe_from_yaml(text, str(data))
    same_chain(old, run.recipe, str(data))
    if pairing_of(old) == pairing_of(run.recipe):
        return _standing(run, hub, data, made)
    tag = releases.next_tag(run, "dataset", run.preferences_repo, round_, pushed=True)
    outcome, every = repaired(run, old, hub, data, made, run.work(tag, "repair"))
    source = benchmarks.load(made.benchmark).source
    facts = facts_of(run.recipe, source, outcome.facts)
    if not source.redistributable:
        outcome = without_pictures(replace(outcome, facts=facts), round_, every)
        facts = outcome.facts
    root = made.facts.get("repaired_from", {}).get("inputs", made.inputs)
    lineage = run.lineage(
        "build-data",
        round_,
        content_key("repaired", root, pairing_of(run.recipe)),
        pins=made.pins,
        own={**made.own, "repaired_from": own_pin(hub, data)},
        sampled_from=made.sampled_from,
        keys=made.keys,
        facts=facts
        | {
            "repaired_from": {
                "tag": data.revision,
                "inputs": root,
                "pairing": pairing_of(old),
                "stands_for": _inputs_of_a_build(run.recipe, made),
            }
        },
    )
    return releases.commit(run, "dataset", run.preferences_repo, outcome.files, lineage, tag=tag)


def repaired(
    run: Run, old: Recipe, hub: Hub, data: Pin, made: Lineage, folder: Path
) -> tuple[BuildOutcome, list[Example]]:
    """Return the round's full files drawn anew below `folder`, and all training examples of the benchmark.

    Memory holds one unit. The benchmark is read at the commit that the round was built from.
    """
    every, examples = examples_of(run, old, made.pins["benchmark"], made.round)
    units = cut_units(examples, old.build.shard_images)
    regions = _regions(run, hub, data, made, masked=old.build.regions.crop == "masked")
    references = redacted.References.of(every) if made.facts.get("withheld") else None
    redraw = Redraw(old, run.recipe, made.round, references)
    totals = Totals()
    shutil.rmtree(folder, ignore_errors=True)
    parts = []
    candidates = _by_unit(_rows(_files(hub, data, f"{releases.tag_of(made.round)}-candidates")), units, "example_id")
    found = _by_unit(_rows(regions), units, "image_id")
    for number, (unit, rows, looked) in enumerate(zip(units, candidates, found, strict=True)):
        result = redraw.unit(unit, rows, looked)
        parts.append(folder / f"unit-{number:05d}")
        parts[-1].mkdir(parents=True)
        write_parts(result, made.round, parts[-1])
        totals.add(unit_report(result, unit, {}))
    files = _merged(made.round, folder, parts, regions)
    facts = _facts(made, totals, redraw) | {"size_bytes": files[_file(made.round)].stat().st_size}
    return BuildOutcome(files, facts), every


def _inputs_of_a_build(recipe: Recipe, made: Lineage) -> str:
    """Return the key of a build by these settings from what the round was built from: the next one finds it here."""
    count = len(judge_sources(recipe))
    roles = ("policy", "proposer", "benchmark", *(f"judge-{i}" for i in range(1, count + 1)))
    return inputs_of(recipe, {role: made.pins[role] for role in roles if role in made.pins}, made.sampled_from)


def _standing(run: Run, hub: Hub, data: Pin, made: Lineage) -> Release:
    if hub is not run.store:
        raise RecipeError(f"{data}: holds the pairs of these settings already. Change one of {_names(run.recipe)}.")
    return Release("dataset", run.preferences_repo, data.revision, data, made, fresh=False)


def _rows(files: Sequence[Path]) -> Iterator[Row]:
    for path in files:
        yield from redacted.read_rows(path)


def _regions(run: Run, hub: Hub, data: Pin, made: Lineage, *, masked: bool) -> list[Path]:
    """Return the files of the round's regions; masks of redacted data stay on the machine that built them."""
    config = f"{releases.tag_of(made.round)}-regions"
    if not (made.facts.get("withheld") and masked):
        return _files(hub, data, config)
    for path in sorted(run.folder.glob(f"{releases.tag_of(made.round)}*/*/merged/regions.parquet")):
        if redacted.sha256_of(path) == made.facts.get("full_regions_sha256"):
            return [path]
    raise DataError(
        f"{data}: its masks are redacted and this machine did not build them."
        " Repair the pairs where they were built, or build the round again with --new-version."
    )


def _files(hub: Hub, data: Pin, config: str) -> list[Path]:
    found = sorted((hub.snapshot(data, [f"{config}/*"]) / config).glob("*.parquet"))
    if not found:
        raise DataError(f"{data}: has no config {config!r}, so its pairs cannot be drawn again. Build the round again.")
    return found


def _by_unit(rows: Iterator[Row], units: Sequence[Sequence[Example]], name: str) -> Iterator[list[Row]]:
    """Yield the rows of each unit, in the order of the units, which is theirs too; column `name` has the ids."""
    attribute = "id" if name == "example_id" else name
    unit_of = {getattr(example, attribute): number for number, unit in enumerate(units) for example in unit}
    row = next(rows, None)
    for number in range(len(units)):
        held = []
        while row is not None and unit_of.get(row[name]) == number:
            held.append(row)
            row = next(rows, None)
        yield held
    if row is not None:
        raise DataError(f"{name} {row[name]}: is not where this benchmark has it. Use the commit of the lineage.")


def _merged(round_: int, folder: Path, parts: Sequence[Path], regions: Sequence[Path]) -> dict[str, Path]:
    files = {}
    (folder / "merged").mkdir()
    for part in PARTS:
        path = folder / "merged" / part.name
        sources = regions if part.config == "-regions" else [one / part.name for one in parts]
        schema.write_parquet(schema.read_tables(one for one in sources if one.exists()), path, part.features)
        files[_file(round_, part.config)] = path
    return files


def _file(round_: int, config: str = "") -> str:
    return f"round-{round_}{config}/train-00000-of-00001.parquet"


def _facts(made: Lineage, totals: Totals, redraw: Redraw) -> dict[str, Any]:
    """Return the facts of the round, those that the pairs decide counted anew."""
    facts = totals.facts()
    if not facts["pairs"]:
        raise DataError("repair: no pair is left. Lower method.min_gap or widen method.pair_scope.")
    counted = {name: facts[name] for name in ("pairs", "scores_histogram", "distinct_image_bytes")}
    counted |= {name: facts[name] for name in ("mean_words_chosen", "mean_words_rejected")}
    counted |= {"cut_texts": facts["cut_texts"]} if "cut_texts" in made.facts else {}  # else no candidate says
    return made.facts | counted | {"drops": redraw.drops_after(made.facts.get("drops", {}), facts["drops"])}


def _names(recipe: Recipe) -> str:
    return ", ".join(pairing_of(recipe))
