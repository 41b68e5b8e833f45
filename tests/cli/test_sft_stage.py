"""`clincot train --objective sft`: an adapter of gold answers, and rounds that start from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot

from clincot.hub import Hub, connect
from clincot.records.lineage import Lineage

FEW = (*SMALL, "--set=build.max_images=2", "--set=evaluate.max_images=2", "--set=train.sft.num_train_epochs=1")
RUN = "clincot-phantom-phantom-sft"


@pytest.fixture(scope="module")
def started(small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("sft")
    _, err = clincot("train", "--objective", "sft", "--hub", f"local:{small_hub}", *FEW, cwd=folder)
    return folder, err


def lineage(folder: Path, tag: str, repo: str = f"demo/{RUN}", kind: str = "model") -> Lineage:
    store: Hub = connect(f"local:{folder / 'runs' / RUN / 'store'}", main=False)
    return Lineage.from_json(store.read(store.resolve(kind, repo, tag), f"rounds/{tag}/lineage.json").decode())


def test_sft_is_an_adapter_of_its_own_in_a_run_of_its_own(started: tuple[Path, str]) -> None:
    folder, err = started
    assert f"model demo/{RUN} (sft) made" in err
    assert re.search(r"train sft: 2 of 2 steps done, [\d.]+ answers/s, [\d,]+ tokens/s, [\d.]+ GB", err)
    assert f"Next: clincot build-data --round 1 --name {RUN}" in err  # the run keeps train.start=sft
    made = lineage(folder, "sft")
    assert made.sampled_from is None and made.pins["benchmark"].repo == "clincot/phantom"
    assert made.facts["examples"] == 12 and made.facts["final_loss"] < made.facts["first_loss"]
    rows = pq.read_table(folder / f"runs/{RUN}/sft/train/gold.parquet").to_pylist()
    assert len(rows) == 12 and len({row["images"][0]["path"] for row in rows}) == 4  # two images for each round
    content = json.dumps(rows[0]["prompt"])
    assert "based on the image" in content and content.count("image") and "local" not in content


@pytest.mark.long
def test_it_is_not_trained_twice_and_needs_a_run_that_starts_from_it(
    started: tuple[Path, str], small_hub: Path
) -> None:
    folder, _ = started
    words = ("--hub", f"local:{small_hub}", *FEW)
    _, err = clincot("train", "--objective", "sft", *words, cwd=folder)
    assert "(sft) exists already" in err
    _, err = clincot("build-data", "--set", "train.start=sft", "--name", "other", *words, cwd=folder, code=2)
    assert "round 1 starts from `sft`" in err and "clincot train --objective sft --name other" in err


@pytest.mark.long
def test_a_run_from_sft_samples_and_trains_from_it_and_evaluates_it(started: tuple[Path, str], small_hub: Path) -> None:
    folder, _ = started
    words = ("--set", "train.start=sft", "--set", "rounds=2", "--hub", f"local:{small_hub}", *FEW)
    out, err = clincot("run", "--push", "--full", *words, cwd=folder)
    sft, first = lineage(folder, "sft"), lineage(folder, "round-1")
    data = lineage(folder, "round-1", f"demo/{RUN}-preferences", "dataset")
    assert data.sampled_from == sft.adapter_sha256 == first.sampled_from
    assert first.own["parent"].tag == "sft" and first.facts["reference_sha256"] == sft.adapter_sha256
    assert first.facts["first_loss"] == pytest.approx(first.facts["known_first_loss"], abs=1e-3)
    for policy in ("base", "sft", "round-1", "round-2"):
        assert f"{policy} · direct" in out
    assert f"demo/{RUN}  sft" in err
    card = connect(f"local:{small_hub}", main=False)
    head = card.read(card.resolve("model", f"demo/{RUN}"), "README.md").decode()
    assert "SFT (our settings)" in head and "- clincot/phantom\n" in head and "gold answers of the train split" in head
