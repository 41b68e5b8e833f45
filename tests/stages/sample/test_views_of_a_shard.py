"""Several regions of one map in a build, and how often a shard's images and crops are decoded, drawn and encoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from clincot import images
from clincot.images import views
from clincot.lm.work import finish
from clincot.methods import of_recipe
from clincot.recipe import Recipe, load_recipe
from clincot.regions.base import HeatMap
from clincot.stages.sample.shards import shard_report, write_parts
from clincot.stages.sample.workbench import Models, ShardResult, Workbench, sample_shard
from tests.methods.test_clincot import HYPOTHESES, WrittenJudge, WrittenPolicy, WrittenProposer, example

QUESTIONS = [example(), replace(example(), id="q2", question="Is there an effusion?")]
SETTINGS = (
    "method.candidates=3",
    "build.regions.least_side=8",
    "build.regions.blur=0",
    "build.regions.padding=0",
    "build.regions.crop=masked",
)


class TwoPlaces(WrittenProposer):
    """Each hypothesis shows in the upper half of its column, and fainter below."""

    def _map(self, name: str) -> HeatMap:
        values = np.zeros((6, 6), np.float32)
        column = slice(2 * HYPOTHESES.index(name), 2 * HYPOTHESES.index(name) + 2)
        values[0:2, column], values[4:6, column] = 1.0, 0.8
        return HeatMap(name, values, 0.5)


def walk(recipe: Recipe) -> tuple[ShardResult, WrittenPolicy]:
    policy = WrittenPolicy()
    models = Models(policy, TwoPlaces(), (WrittenJudge("a"), WrittenJudge("b", 0.1)))  # type: ignore[arg-type]
    bench = Workbench(recipe, 1, models)
    return finish(sample_shard(of_recipe(recipe), QUESTIONS, bench)), policy


def test_every_component_is_a_region_with_its_own_crop_row_and_candidates(tmp_path: Path) -> None:
    result, policy = walk(load_recipe(overrides=[*SETTINGS, "build.regions.per_hypothesis=2"]))
    looked = [(one.name, one.region is not None and one.region.box.upper > 30) for one in result.hypotheses]
    assert looked == [(name, below) for name in HYPOTHESES for below in (False, True)]  # the stronger one first
    first = [c for c in result.candidates if (c.example_id, c.step) == ("q1", 1)]
    assert [c.region for c in first] == [one.region for one in result.hypotheses]
    assert len({request.images[1].tobytes() for request in policy.requests}) == 6
    write_parts(result, 1, tmp_path)
    rows = pq.read_table(tmp_path / "regions.parquet").to_pylist()
    assert len({(row["image_id"], row["hypothesis"], tuple(row["box"])) for row in rows}) == len(rows) == 6
    assert shard_report(result, QUESTIONS, {})["hypotheses"] == 3  # what was looked for, not where it was found


def test_one_region_a_hypothesis_is_the_default() -> None:
    result, _ = walk(load_recipe(overrides=SETTINGS))
    assert [one.region.box.upper for one in result.hypotheses if one.region] == [0, 0, 0]


def test_a_crop_is_drawn_and_encoded_once_a_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            counts[name if arguments[1:] != ("mask",) else "mask"] += 1
            return function(*arguments)

        return call

    for module, name in ((images, "decode"), (views, "render"), (views, "encode")):
        monkeypatch.setattr(module, name, counted(name, getattr(module, name)))
    result, policy = walk(load_recipe(overrides=[*SETTINGS, "method.samples_per_region=2"]))
    assert len(result.candidates) == 24 and len(policy.requests) > 24
    write_parts(result, 1, tmp_path)
    shard_report(result, QUESTIONS, {})
    # One image and three regions, whatever the questions, steps, candidates and tables; no crop is decoded.
    assert counts == {"decode": 1, "mask": 3, "render": 3, "encode": 3}
