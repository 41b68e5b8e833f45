"""`kind: openai`: rounds sampled from a real server over loopback, whose texts are those of the engine in process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot

from clincot.hub import connect
from tests.engines.served import ServedPolicy

POLICY = "clincot/phantom-policy"


@pytest.fixture(scope="module")
def served(finished_run: tuple[Path, str, str], small_hub: Path) -> Iterator[ServedPolicy]:
    """Serve the tiny policy under its name and the finished run's first adapter as `loop-round-1`."""
    with connect(f"local:{small_hub}", main=False) as hub:
        base = hub.snapshot(hub.resolve("model", POLICY))
        adapter = hub.snapshot(hub.resolve("model", "demo/loop", "round-1"))
    server = ServedPolicy(base, adapter, (POLICY, "loop-round-1"))
    yield server
    server.stop()


def words(small_hub: Path, endpoint: str, name: str) -> tuple[str, ...]:
    kind = ("--set=models.policy.kind=openai", f"--set=models.policy.endpoint={endpoint}")
    return ("--name", name, "--hub", f"local:{small_hub}", *SMALL, *kind)


def candidates(folder: Path, run: str, tag: str) -> list[dict]:  # type: ignore[type-arg]
    return pq.read_table(folder / f"runs/{run}/{tag}/build/merged/candidates.parquet").to_pylist()


def texts(rows: list[dict]) -> list[tuple[str, str, list[str]]]:  # type: ignore[type-arg]
    return [(row["id"], row["text"], row["lookahead"]) for row in rows]


def test_round_2_is_sampled_from_the_adapter_that_the_server_names_by_run_and_round(
    served: ServedPolicy, finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished_run[0] / "runs", tmp_path / "runs")
    again = words(small_hub, served.endpoint, "loop")
    _, err = clincot("build-data", "--round", "2", "--new-version", *again, cwd=tmp_path)
    assert "(round-2-v2) made" in err
    here, there = candidates(tmp_path, "loop", "round-2"), candidates(tmp_path, "loop", "round-2-v2")
    assert texts(here) == texts(there)
    # Another engine's log-probabilities are no reference (vLLM issue 18352): none is stored.
    assert any(row["logp"] is not None for row in here) and all(row["logp"] is None for row in there)


@pytest.mark.long
def test_round_1_is_sampled_from_the_served_base_and_trained_on_here(
    served: ServedPolicy, finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    mine = words(small_hub, served.endpoint, "served")
    clincot("build-data", *mine, cwd=tmp_path)
    assert texts(candidates(tmp_path, "served", "round-1")) == texts(candidates(finished_run[0], "loop", "round-1"))
    _, err = clincot("train", *mine, cwd=tmp_path)
    assert "model demo/served (round-1) made" in err


def test_a_name_that_is_not_served_is_refused_with_the_names_that_are(
    served: ServedPolicy, finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished_run[0] / "runs", tmp_path / "runs")
    again = words(small_hub, served.endpoint, "loop")
    _, err = clincot("build-data", "--round", "3", "--set=rounds=3", "--new-version", *again, cwd=tmp_path, code=2)
    assert "loop-round-2" in err and "loop-round-1" in err and "Traceback" not in err


def test_a_served_model_is_checked_as_a_judge_and_says_what_the_one_in_process_says(
    served: ServedPolicy, small_hub: Path, tmp_path: Path
) -> None:
    words = ("--hub", f"local:{small_hub}", "--questions=4", "--scoring=generated", "--context=blind", "--json")
    away, _ = clincot("judges", "check", POLICY, "--endpoint", served.endpoint, *words, cwd=tmp_path)
    here, _ = clincot("judges", "check", "policy", *words, cwd=tmp_path)
    a, b = (json.loads(out)["ways"][0]["found"] for out in (away, here))
    assert (a["failures"], a["auc"], a["rated"]) == (b["failures"], b["auc"], 8)
    assert a["mass"] == pytest.approx(b["mass"], abs=1e-3)
