"""Content pins: what they are made of and cost, where they are found, and what older lineages become."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clincot.errors import TagExists
from clincot.hub import Hub, connect, embedded
from clincot.records.lineage import Lineage, OwnPin, Pin
from clincot.runs.releases import read_lineage
from clincot.runs.releases.content import content_of, locate, own_pin
from clincot.runs.run import Run

DATA = "somebody/r-preferences"
MEGABYTES = bytes(range(256)) * 8192
LINEAGE = Lineage("build-data", "r", 1, "clincot", "phantom", "0" * 64, "k", 0)


@pytest.fixture
def hubs(tmp_path: Path) -> Iterator[tuple[Hub, Hub]]:
    with connect(f"local:{tmp_path / 'a'}", main=False) as one, connect(f"local:{tmp_path / 'b'}", main=False) as other:
        yield one, other


def pairs(hub: Hub, repo: str = DATA, tag: str = "round-1", data: bytes = MEGABYTES, **more: bytes) -> Pin:
    files = {
        "README.md": repo.encode(),
        "round-1/train-0.parquet": data,
        "rounds/round-1/recipe.yaml": b"seed: 0\n",
        "rounds/round-1/lineage.json": dataclasses.replace(LINEAGE, run=repo).to_json().encode(),
    }
    named = {path.replace("__", "/"): content for path, content in more.items()}
    return hub.publish("dataset", repo, files | named, tag=tag, message="m", private=True)


def run_of(store: Hub, target: Hub) -> Run:
    places = [(store, "local/r-preferences"), (target, DATA)]
    return cast(Run, SimpleNamespace(places=lambda repo: iter(places), adapter_repo="local/r"))


def test_a_content_is_what_sha256sum_says_of_the_rounds_files_without_lineage_card_and_names(
    hubs: tuple[Hub, Hub],
) -> None:
    lines = [
        f"{hashlib.sha256(MEGABYTES).hexdigest()}  round-1/train-0.parquet\n",
        f"{hashlib.sha256(b'seed: 0' + bytes([10])).hexdigest()}  rounds/round-1/recipe.yaml\n",
    ]
    wanted = hashlib.sha256("".join(lines).encode()).hexdigest()
    here = pairs(hubs[0], "local/r-preferences", **{".eval_results__x.yaml": b"x", "round-2__train-0.parquet": b"x"})
    there = pairs(hubs[1])
    assert content_of(hubs[0], here) == content_of(hubs[1], there) == wanted
    assert own_pin(hubs[0], here) == OwnPin("dataset", "r-preferences", "round-1", wanted)
    assert own_pin(hubs[0], here).next_to("somebody/r") == DATA


def test_a_content_costs_a_listing_and_the_small_files_and_only_once(hubs: tuple[Hub, Hub]) -> None:
    pin = pairs(hubs[0])
    server, leave = embedded.start(hubs[0].cache.parents[1])  # the one that runs
    leave()
    log = server.requests
    before = len(log)
    assert content_of(hubs[0], pin) == content_of(hubs[0], pin)
    asked = list(log)[before:]
    assert sum(request.bytes for request in asked) < 100_000
    assert not any("train-0.parquet" in request.path for request in asked)
    assert len([request for request in asked if "/tree/" in request.path]) == 1 and len(asked) <= 3


def test_a_version_is_found_by_tag_and_content_in_the_store_or_on_the_target(hubs: tuple[Hub, Hub]) -> None:
    store, target = hubs
    run, there = run_of(store, target), pairs(target)
    own = own_pin(target, there)
    assert locate(run, own) == (target, there)
    other = pairs(store, "local/r-preferences", data=b"other")
    assert locate(run, own) == (target, there)  # the store's own tag holds other content
    assert locate(run, own_pin(store, other)) == (store, other)
    assert locate(run, dataclasses.replace(own, tag="round-2")) is None


def test_a_tag_with_other_content_is_refused_with_where_and_what(hubs: tuple[Hub, Hub]) -> None:
    own = own_pin(hubs[1], pairs(hubs[1], "somebody/x-preferences"))
    pairs(hubs[0], "local/r-preferences", data=b"other")
    with pytest.raises(TagExists, match=r"local/r-preferences in local:.*'round-1' holds other content") as refused:
        locate(run_of(*hubs), own)
    assert own.content[:12] in str(refused.value) and "--hub" in str(refused.value)


def older(lineage: Lineage, **pins: Pin) -> bytes:
    """Write a lineage as it was when own repositories were pinned by commit."""
    tree: dict[str, Any] = json.loads(lineage.to_json())
    del tree["own"]
    tree["pins"] |= {role: dataclasses.asdict(pin) for role, pin in pins.items()}
    tree["facts"] |= {"store_shas": {"preferences": "e" * 40}, "only_in_store": ["parent"]}
    return json.dumps(tree).encode()


def test_pairs_that_an_older_version_repaired_are_those_of_their_settings() -> None:
    repaired = {"tag": "round-1", "inputs": "root", "pairing": {"min_gap": 0.05}, "stands_for": "a build's key"}
    made = dataclasses.replace(LINEAGE, inputs="repaired", facts={"pairs": 3, "repaired_from": repaired})
    read = Lineage.from_json(older(made, repaired_from=Pin("dataset", DATA, "round-1", "b" * 40)).decode())
    assert read.inputs == "a build's key" and read.pins == {}
    assert read.own == {"paired_from": OwnPin("dataset", "r-preferences", "round-1", "b" * 40)}
    assert read.facts == {"pairs": 3, "paired_from": {"tag": "round-1", "before": {"min_gap": 0.05}}}


def test_an_older_lineages_commits_become_contents_where_the_hub_has_them(hubs: tuple[Hub, Hub]) -> None:
    store, target = hubs
    data, lost = pairs(target), Pin("model", "local/r", "round-1", "d" * 40)
    policy = Pin("model", "clincot/policy", "main", "a" * 40)
    made = dataclasses.replace(LINEAGE, stage="train", pins={"policy": policy}, facts={"steps": 3})
    files = {"rounds/round-1/lineage.json": older(made, preferences=data, parent=lost)}
    pin = target.publish("model", "somebody/r", files, tag="round-1", message="m", private=True)
    read = read_lineage(target, pin, 1)
    assert read.pins == {"policy": policy} and read.facts == {"steps": 3}
    assert read.own == {"preferences": own_pin(target, data), "parent": OwnPin("model", "r", "round-1", "d" * 40)}
    assert Lineage.from_json(read.to_json()) == read
    # Read without a Hub, a commit still names the version on the Hub that has it, and nothing else.
    alone = Lineage.from_json(files["rounds/round-1/lineage.json"].decode()).own["preferences"]
    assert alone.content == data.sha and locate(run_of(store, target), alone) == (target, data)
    with pytest.raises(TagExists, match="content dddddddddddd"):
        locate(run_of(store, target), dataclasses.replace(alone, content="d" * 40))
