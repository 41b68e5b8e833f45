"""A method that samples from no policy, on the sealed benchmark: static pairs, computed reference, restored images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sealed_run import SealedRun, small_recipe

from clincot import engines
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.restore import restore
from clincot.runs.rounds.train import train_round
from clincot.runs.run import Run, open_run

METHOD = "tests.methods.small_methods:Edited"
STATIC = ("rounds=2", "build.max_images=0", "train.margin.kind=none", "train.conditioning=per_side")


def rows_of(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.fixture
def static(sealed: SealedRun, tmp_path: Path) -> Iterator[Run]:
    run = open_run(small_recipe(METHOD, *STATIC), name="static", hub=f"local:{sealed.hub}", folder=tmp_path / "runs")
    yield run
    run.store.close()
    run.target.close()


def test_static_pairs_are_built_without_a_policy_and_trained_with_a_computed_reference(
    static: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engines, "load", lambda *_, **__: pytest.fail("a policy was loaded"))
        patch.setattr(engines, "open_room", lambda *_: pytest.fail("a policy's files were fetched"))
        first = build_round(static, 1)
        second = build_round(static, 2)  # no adapter of round 1 is needed
    edited: dict[str, str] = {}
    made, folder = first.lineage, static.folder / "round-1" / "build" / "merged"
    assert made.facts["withheld"]
    for row in pq.read_table(folder / "candidates.parquet").to_pylist():
        if row["source"] == "editor":
            edited[row["id"]] = row["text"]
    kept = static.store.snapshot(first.pin, ["round-1/*", "round-1-candidates/*"])
    long = {text for text in edited.values() if len(text) > 40}
    said = {r["rejected"] for r in rows_of(kept / "round-1")} | {
        r["text"] for r in rows_of(kept / "round-1-candidates")
    }
    assert long and not long & said  # an edited report is made of one that may not be passed on
    restored = restore(static, static.store, first.pin, made)
    assert pq.read_table(restored).equals(pq.read_table(folder / "pairs.parquet"))
    assert (made.sampled_from, made.keys, list(made.pins)) == (None, {}, ["policy", "benchmark"])
    assert second.lineage.sampled_from is None
    assert made.facts["candidate_sources"].keys() == {"gold", "editor"} and made.facts["pairs"] > 0
    trained = train_round(static, 1)
    assert trained.lineage.facts["stored_references"] == 0 and trained.lineage.sampled_from is None
    assert trained.lineage.facts["first_gap"] <= trained.lineage.facts["first_gap_allowed"]
