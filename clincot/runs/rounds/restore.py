"""A redacted round and one's own copy of the benchmark -> its full rows, with images and reference texts."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from clincot.benchmarks.own import OwnData
from clincot.errors import DataError, NotOnHub
from clincot.hub import Hub
from clincot.images.views import Gallery
from clincot.lm.work import finish
from clincot.recipe import Recipe, recipe_from_yaml
from clincot.records import WHOLE, Example, Region, View, read_images
from clincot.records.lineage import Lineage, Pin
from clincot.regions.base import Proposer
from clincot.rows import schema
from clincot.rows.stored_views import region_of, views_of
from clincot.runs import releases
from clincot.runs.models.loading import load_proposer
from clincot.runs.models.pins import benchmark_pin
from clincot.runs.redistribution import redacted
from clincot.runs.roles import sources_of
from clincot.runs.rounds.made import examples_of
from clincot.runs.run import Run
from clincot.stages.sample.serving import Models
from clincot.stages.sample.shards import cut_shards
from clincot.stages.sample.workbench import Workbench

DrawView = Callable[[Example, View], bytes]


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
    recipe = recipe_from_yaml(hub.read(data, f"rounds/{tag}/recipe.yaml").decode(), str(data), run.recipe)
    every, examples = examples_of(run, recipe, _benchmark(run, made), made.round)
    references = redacted.References.of(every)
    shards = cut_shards(examples, recipe.build.shard_images)
    shard_of = {example.id: i for i, shard in enumerate(shards) for example in shard}
    folder = hub.snapshot(data, [f"{tag}/*"])
    rows = [row for path in sorted((folder / tag).glob("*.parquet")) for row in redacted.read_rows(path)]
    _check_examples(rows, shard_of)
    proposer = _proposer(run, recipe, made)

    def tables() -> Iterator[pa.Table]:
        for number, group in groupby(rows, key=lambda row: shard_of[row["example_id"]]):
            shard = {example.id: example for example in read_images(shards[number])}
            draw = _drawer(recipe, made.round, tuple(shard.values()), proposer)
            full = [redacted.restored(row, references, _images(shard[row["example_id"]], row, draw)) for row in group]
            yield schema.table(full, schema.PAIR_FEATURES)

    path = run.work(tag, "restored") / "pairs.parquet"
    schema.write_parquet(tables(), path, schema.PAIR_FEATURES)
    return path


def _benchmark(run: Run, made: Lineage) -> Pin:
    """Return the benchmark at the commit it was built from, or one's own copy of it, whose images are checked."""
    pin, benchmark = made.pins["benchmark"], run.benchmark(made.benchmark)
    if isinstance(benchmark, OwnData) and benchmark.folder is not None:
        return benchmark_pin(run.target, benchmark)
    try:
        return run.target.resolve("dataset", pin.repo, pin.sha)
    except NotOnHub:
        return benchmark_pin(run.target, benchmark)


def _proposer(run: Run, recipe: Recipe, made: Lineage) -> Proposer | None:
    """Load the proposer where regions are masked: redacted data carry no masks."""
    if recipe.build.regions.crop == "box" or "proposer" not in sources_of(recipe):
        return None
    return load_proposer(run, recipe, made.pins.get("proposer"))


def _check_examples(rows: Sequence[Mapping[str, Any]], known: Container[str]) -> None:
    absent = next((row["example_id"] for row in rows if row["example_id"] not in known), None)
    if absent is not None:
        raise DataError(f"example {absent}: is not in this copy of the benchmark. Use the commit of the lineage.")


def _images(example: Example, row: Mapping[str, Any], draw: DrawView) -> list[bytes]:
    """Return the images that both sides share, then those of each side."""
    if row.get("views") is not None:
        views = views_of((*row["views"], *row["side_views"]))
    else:  # rows of older versions: the image, and a crop a side
        regions = [region_of(row[side]) for side in ("chosen_region", "rejected_region")]
        views = (WHOLE, *(View("crop", region) for region in regions if len(row["picture_ids"]) > 1))
    return [draw(example, view) for view in views]


def _drawer(recipe: Recipe, round_: int, shard: tuple[Example, ...], proposer: Proposer | None) -> DrawView:
    """Return what draws a view exactly as the build of this shard did."""
    if proposer is None:
        gallery = Gallery(shard)
        return lambda example, view: gallery.encode(example.id, view)
    # Looking is done without policy and judges; heat maps are batched by shard, as in the build.
    bench = Workbench(recipe, round_, Models(None, proposer))
    finish(bench.look(shard))

    def masked(example: Example, region: Region) -> Region:
        for found in bench.regions.get(example.image_id, ()):
            if found.hypothesis == region.hypothesis and found.box == region.box:
                return found
        raise DataError(
            f"{example.id}: the proposer finds no such region of {region.hypothesis} now."
            " Use the commits and package versions of the lineage."
        )

    def draw(example: Example, view: View) -> bytes:
        region = masked(example, view.region) if view.region else None
        return bench.gallery.encode(example.id, replace(view, region=region))

    return draw
