"""A run folder and a Hub whose lineages pin by commit, as an older version left them: read, kept and pushed again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sealed_run import sealed_recipe

from clincot.errors import TagExists
from clincot.hub import Hub
from clincot.hub.pull import api_of
from clincot.records.lineage import Pin
from clincot.runs.evaluation.contamination import seen_by
from clincot.runs.loop import run_rounds
from clincot.runs.models import adapters
from clincot.runs.redistribution.redacted import read_rows
from clincot.runs.releases import made_from_another, pushing, read_lineage
from clincot.runs.releases.content import own_pin
from clincot.runs.rounds.pair import pair_round
from clincot.runs.rounds.train import train_round
from clincot.runs.run import Run


def age(hub: Hub, kind: str, repo: str, **facts: Any) -> Pin:
    """Write round 1 of a repository as an older version left it: pins of own repositories are this Hub's commits."""
    pin = hub.resolve(kind, repo, "round-1")
    path = "rounds/round-1/lineage.json"
    tree = json.loads(hub.read(pin, path))
    for role, own in tree.pop("own").items():
        there = hub.resolve(own["kind"], f"{repo.partition('/')[0]}/{own['name']}", own["tag"])
        tree["pins"][role] = dataclasses.asdict(there)
    tree["facts"] |= facts
    if tree["stage"] != "evaluate":
        tree["inputs"] = "a key by another rule"
    api_of(hub).delete_tag(repo, tag="round-1", repo_type=kind)
    files = {path: json.dumps(tree).encode()}
    return hub.publish(kind, repo, files, tag="round-1", message="older", private=True)


@pytest.fixture
def aged(copied: Run) -> Run:
    for hub, facts in ((copied.store, {}), (copied.target, {"store_shas": {"preferences": "e" * 40}})):
        age(hub, "dataset", copied.preferences_repo)
        age(hub, "model", copied.adapter_repo, **facts)
        age(hub, "dataset", copied.results_repo)
    return copied


def test_an_older_run_is_finished_and_its_pins_are_contents(aged: Run) -> None:
    built, trained = (aged.store.resolve(*at, "round-1") for at in _repos(aged)[:2])
    made = read_lineage(aged.store, trained, 1)
    assert made.own == {"preferences": own_pin(aged.store, built)}
    assert not made_from_another(aged, "model", aged.adapter_repo, 1, made.own)
    there = read_lineage(aged.target, aged.target.resolve("model", aged.adapter_repo, "round-1"), 1)
    assert there.own == made.own and "store_shas" not in there.facts
    done, _ = run_rounds(aged, push=False, say=lambda line: None)
    assert [(one.tag, one.fresh) for one in done] == [("round-1", False)] * 3
    with pytest.raises(TagExists, match="train.dpo.beta"):
        train_round(dataclasses.replace(aged, recipe=sealed_recipe("train.dpo.beta=0.7")), 1)


def test_an_older_run_is_pushed_again_where_older_lineages_are_and_where_nothing_is(aged: Run) -> None:
    tags = {at: aged.target.resolve(*at, "round-1") for at in _repos(aged)}
    done, _ = run_rounds(aged, push=True, say=lambda line: None)
    assert [one.pushed for one in done] == list(tags.values())
    for kind, repo in tags:
        api_of(aged.target).delete_repo(repo, repo_type=kind)
    trained = pushing.push(aged, done[1], print).pushed
    assert trained is not None
    raw = json.loads(aged.target.read(trained, "rounds/round-1/lineage.json"))
    assert raw["own"]["preferences"]["content"] == own_pin(aged.store, done[0].pin).content


def test_an_older_round_is_paired_again(aged: Run, tmp_path: Path) -> None:
    """Its candidates have no views, its facts do not list apart what drawing left out."""
    repo = aged.preferences_repo
    pin = aged.store.resolve("dataset", repo, "round-1")
    name, path = "round-1-candidates/train-00000-of-00001.parquet", "rounds/round-1/lineage.json"
    table = pq.read_table(aged.store.snapshot(pin) / name)
    pq.write_table(table.drop_columns(["views", "source"]), tmp_path / "old.parquet")
    tree = json.loads(aged.store.read(pin, path))
    unpaired = tree["facts"].pop("unpaired")
    api_of(aged.store).delete_tag(repo, tag="round-1", repo_type="dataset")
    files = {name: tmp_path / "old.parquet", path: json.dumps(tree).encode()}
    aged.store.publish("dataset", repo, files, tag="round-1", message="older", private=True)
    before = aged.folder / "round-1/build/merged/pairs.parquet"
    made = pair_round(dataclasses.replace(aged, recipe=sealed_recipe("method.pairs_per_step=1")), 1)
    drawn = list(read_rows(aged.folder / "round-1-v2/pair/merged/pairs.parquet"))
    sides = {side["path"]: side["bytes"] for row in read_rows(before) for side in row["side_images"]}
    assert drawn and all(sides.get(s["path"], s["bytes"]) == s["bytes"] for row in drawn for s in row["side_images"])
    assert {len(row["side_images"]) for row in drawn} == {2} and made.tag == "round-1-v2"
    assert made.lineage.facts["unpaired"] == unpaired and made.lineage.facts["drops"] == tree["facts"]["drops"]


def test_the_images_of_an_older_adapter_are_known(aged: Run) -> None:
    chosen = adapters.all_of(aged)
    alone = dataclasses.replace(aged, recipe=sealed_recipe("evaluate.max_images=1"))
    (seen,) = seen_by(alone, chosen, lambda: [])
    assert seen


def _repos(run: Run) -> list[tuple[Any, str]]:
    return [("dataset", run.preferences_repo), ("model", run.adapter_repo), ("dataset", run.results_repo)]
