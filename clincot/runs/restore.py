"""A redacted round and one's own copy of the benchmark -> its full rows, with images and reference texts."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from clincot import benchmarks
from clincot.engines.base import Engine
from clincot.errors import DataError, NotOnHub
from clincot.hub import Hub
from clincot.images.views import Gallery
from clincot.recipe import Recipe, recipe_from_yaml
from clincot.records import Box, Example, Region, View, read_images
from clincot.records.lineage import Lineage, Pin
from clincot.regions.base import Proposer
from clincot.rows import schema
from clincot.runs import releases
from clincot.runs.build import examples_of
from clincot.runs.loading import load_proposer
from clincot.runs.pins import benchmark_pin
from clincot.runs.redistribution import redacted
from clincot.runs.run import Run
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import cut_units
from clincot.stages.sample.workbench import Workbench

Cut = Callable[[Example, Mapping[str, Any]], bytes]


def full_rows(run: Run, hub: Hub, data: Pin, made: Lineage) -> list[Path]:
    """Return the redacted round's full rows: those that this machine built, else restored now."""
    for built in sorted(run.folder.glob(f"{releases.tag_of(made.round)}*/*/merged/pairs.parquet")):
        if redacted.sha256_of(built) == made.facts.get("full_rows_sha256"):
            return [built]
    return [restore(run, hub, data, made)]


def restore(run: Run, hub: Hub, data: Pin, made: Lineage) -> Path:
    """Write the full rows of a redacted round below the run's folder and return the file.

    The recipe, the benchmark and the proposer are those of the round, not those of the run now. Raises DataError when
    an image differs from the one that the round had, or the dataset is not redacted.
    """
    tag = releases.tag_of(made.round)
    if not made.facts.get("withheld"):
        raise DataError(f"{data}: holds its images, there is nothing to restore. Load it as its card says.")
    recipe = recipe_from_yaml(hub.read(data, f"rounds/{tag}/recipe.yaml").decode(), str(data))
    every, examples = examples_of(run, recipe, _benchmark(run, made), made.round)
    references = redacted.References.of(every)
    units = cut_units(examples, recipe.build.shard_images)
    unit_of = {example.id: i for i, unit in enumerate(units) for example in unit}
    folder = hub.snapshot(data, [f"{tag}/*"])
    rows = [row for path in sorted((folder / tag).glob("*.parquet")) for row in redacted.read_rows(path)]
    _check_examples(rows, unit_of)
    proposer = _proposer(run, recipe, made)

    def tables() -> Iterator[pa.Table]:
        for number, group in groupby(rows, key=lambda row: unit_of[row["example_id"]]):
            unit = {example.id: example for example in read_images(units[number])}
            cut = _cutter(recipe, made.round, tuple(unit.values()), proposer)
            full = [redacted.restored(row, references, _images(unit[row["example_id"]], row, cut)) for row in group]
            yield schema.table(full, schema.PAIR_FEATURES)

    path = run.work(tag, "restored") / "pairs.parquet"
    schema.write_parquet(tables(), path, schema.PAIR_FEATURES)
    return path


def _benchmark(run: Run, made: Lineage) -> Pin:
    """Return the benchmark at the commit it was built from, or one's own copy of it, whose images are checked."""
    pin, source = made.pins["benchmark"], benchmarks.load(made.benchmark).source
    try:
        return run.target.resolve("dataset", pin.repo, pin.sha)
    except NotOnHub:
        return benchmark_pin(run.target, source)


def _proposer(run: Run, recipe: Recipe, made: Lineage) -> Proposer | None:
    """Load the proposer where crops are masked: redacted data carry no masks."""
    if recipe.build.regions.crop == "box":
        return None
    return load_proposer(run, recipe, made.pins.get("proposer"))


def _check_examples(rows: Sequence[Mapping[str, Any]], known: Container[str]) -> None:
    absent = next((row["example_id"] for row in rows if row["example_id"] not in known), None)
    if absent is not None:
        raise DataError(f"example {absent}: is not in this copy of the benchmark. Use the commit of the lineage.")


def _images(example: Example, row: Mapping[str, Any], cut: Cut) -> list[bytes]:
    sides = ("chosen_region", "rejected_region") if len(row["picture_ids"]) > 1 else ()
    return [example.encoded(), *(cut(example, row[side]) for side in sides)]


def _cutter(recipe: Recipe, round_: int, unit: tuple[Example, ...], proposer: Proposer | None) -> Cut:
    """Return what cuts the crop of a region exactly as the build of this unit did."""
    if proposer is None:
        gallery = Gallery(unit)

        def cut(example: Example, region: Mapping[str, Any]) -> bytes:
            whole = Region(region["hypothesis"], Box(*region["box"]), region["confidence"])
            return gallery.encode(example.id, View("crop", whole))

        return cut
    # Looking is done without policy and judges; heat maps are batched by unit, as in the build.
    bench = Workbench(recipe, round_, Models(cast(Engine, None), proposer, ()))
    bench.look(unit)

    def look_up(example: Example, region: Mapping[str, Any]) -> bytes:
        for found in bench.regions.get(example.image_id, ()):
            if found.hypothesis == region["hypothesis"] and list(found.box) == list(region["box"]):
                return bench.gallery.encode(example.id, View("crop", found))
        raise DataError(
            f"{example.id}: the proposer finds no such region of {region['hypothesis']} now."
            " Use the commits and package versions of the lineage."
        )

    return look_up
