"""`kind: openai`: rounds sampled from a real server over loopback, whose texts are those of the engine in process."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot

from clincot.hub import connect
from tests.engines.served import ServedModels
from tests.runs.scan import every_file, words_and_pictures

POLICY = "clincot/phantom-policy"
JUDGES = ("clincot/phantom-judge-a", "clincot/phantom-judge-b")
LESS = ("--set=build.max_images=2", "--set=evaluate.max_images=2", "--set=evaluate.inference=[direct]")


@pytest.fixture(scope="module")
def process(finished_run: tuple[Path, str, str], small_hub: Path) -> Iterator[ServedModels]:
    """Serve the tiny policy under its name, and no adapter."""
    with connect(f"local:{small_hub}", main=False) as hub:
        base = hub.snapshot(hub.resolve("model", POLICY))
    server = ServedModels({POLICY: (base,)})
    yield server
    server.stop()


@pytest.fixture
def served(process: ServedModels) -> ServedModels:
    process.fail_next(0, 200)
    return process


def words(small_hub: Path, endpoint: str, name: str) -> tuple[str, ...]:
    kind = ("--set=models.policy.kind=openai", f"--set=models.policy.endpoint={endpoint}")
    return ("--name", name, "--hub", f"local:{small_hub}", *SMALL, *kind)


def candidates(folder: Path, run: str, tag: str) -> list[dict]:  # type: ignore[type-arg]
    return pq.read_table(folder / f"runs/{run}/{tag}/build/merged/candidates.parquet").to_pylist()


def texts(rows: list[dict]) -> list[tuple[str, str, list[str]]]:  # type: ignore[type-arg]
    return [(row["id"], row["text"], row["lookahead"]) for row in rows]


def lineage(folder: Path, run: str, tag: str) -> dict:  # type: ignore[type-arg]
    """The lineage that a run's store has of its preference data."""
    with connect(f"local:{folder / 'runs' / run / 'store'}", main=False) as store:
        pin = store.resolve("dataset", f"demo/{run}-preferences", tag)
        return json.loads(store.read(pin, f"rounds/{tag.removesuffix('-v2')}/lineage.json"))


def adapters(folder: Path, run: str) -> dict[str, str]:
    """The tags of a run's adapters in its store, with their commits."""
    with connect(f"local:{folder / 'runs' / run / 'store'}", main=False) as store:
        return store.tags("model", f"demo/{run}")


@pytest.mark.long
def test_round_2_is_sampled_from_the_adapter_that_was_loaded_while_the_server_ran(
    served: ServedModels, finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished_run[0] / "runs", tmp_path / "runs")
    again = words(small_hub, served.endpoint, "loop")
    _, err = clincot("build-data", "--round", "2", "--new-version", *again, cwd=tmp_path)
    assert "(round-2-v2) made" in err
    (name,) = {asked["lora_name"] for asked in served.seen()["loras"]}
    assert re.fullmatch("loop-round-1-[0-9a-f]{8}", name) and f"loaded {name}" in err
    here, there = candidates(tmp_path, "loop", "round-2"), candidates(tmp_path, "loop", "round-2-v2")
    assert texts(here) == texts(there)
    # Another engine's log-probabilities are no reference (vLLM issue 18352): none is stored.
    assert any(row["logp"] is not None for row in here) and all(row["logp"] is None for row in there)
    assert lineage(tmp_path, "loop", "round-2-v2")["facts"]["served_as"] == {"round-1": name}
    assert "served_as" not in lineage(tmp_path, "loop", "round-2")["facts"]
    host = served.endpoint.removeprefix("http://")
    assert not [one.path for one in every_file(tmp_path / "runs/loop/store") if host in words_and_pictures(one)[0]]


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_a_run_over_a_server_stops_where_no_adapter_can_be_loaded_and_goes_to_its_end_where_one_can(
    served: ServedModels, small_hub: Path, tmp_path: Path
) -> None:
    """Two rounds and the evaluation without a person; the same command goes on after a stop, and repeats nothing."""
    mine = (*words(small_hub, served.endpoint, "alone"), *LESS)
    served.fail_next(0, 200, no_lora=True)
    _, err = clincot("run", "--set=rounds=2", *mine, cwd=tmp_path, code=2, timeout=600)
    assert "the run will stop after its first adapter" in err
    assert re.search(r"--lora-modules alone-round-1-[0-9a-f]{8}=\S+/runs/alone/served/alone-round-1-", err)
    assert "Traceback" not in err
    first = adapters(tmp_path, "alone")
    assert set(first) == {"round-1"}
    served.fail_next(0, 200)
    out, err = clincot("run", "--set=rounds=2", *mine, cwd=tmp_path, timeout=600)
    assert "will stop" not in err and "round 2 - base" in out
    assert adapters(tmp_path, "alone").items() > first.items()
    names = [one["lora_name"][:-9] for one in served.seen()["loras"] if one["lora_name"].startswith("alone")]
    assert names == ["alone-round-1", "alone-round-2"]
    # The same adapter in process writes the same.
    place = ("--name", "alone", "--hub", f"local:{small_hub}", *SMALL, *LESS, "--set=rounds=2")
    clincot(
        "build-data",
        "--round",
        "2",
        "--new-version",
        "--set=models.policy.kind=",
        "--set=models.policy.endpoint=",
        *place,
        cwd=tmp_path,
    )
    here, there = candidates(tmp_path, "alone", "round-2-v2"), candidates(tmp_path, "alone", "round-2")
    assert texts(here) == texts(there)


@pytest.mark.long
def test_round_1_is_sampled_from_the_served_base_and_trained_on_here(
    served: ServedModels, finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    mine = words(small_hub, served.endpoint, "served")
    clincot("build-data", *mine, cwd=tmp_path)
    assert texts(candidates(tmp_path, "served", "round-1")) == texts(candidates(finished_run[0], "loop", "round-1"))
    _, err = clincot("train", *mine, cwd=tmp_path)
    assert "model demo/served (round-1) made" in err


@pytest.mark.long
def test_a_server_that_loads_no_adapters_is_started_again_by_a_command_that_names_them(
    served: ServedModels, finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished_run[0] / "runs", tmp_path / "runs")
    again = words(small_hub, served.endpoint, "loop")
    served.fail_next(0, 200, no_lora=True)
    _, err = clincot("build-data", "--round", "3", "--set=rounds=3", "--new-version", *again, cwd=tmp_path, code=2)
    named = r"loop-round-{0}-[0-9a-f]{{8}}=\S+/runs/loop/served/loop-round-{0}-\w+"
    assert re.search(f"--lora-modules {named.format(2)} {named.format(1)}", err) and "Traceback" not in err


def test_a_served_model_is_checked_as_a_judge_and_says_what_the_one_in_process_says(
    served: ServedModels, small_hub: Path, tmp_path: Path
) -> None:
    words = ("--hub", f"local:{small_hub}", "--questions=4", "--scoring=generated", "--context=blind", "--json")
    away, _ = clincot("judges", "check", POLICY, "--endpoint", served.endpoint, *words, cwd=tmp_path)
    here, _ = clincot("judges", "check", "policy", *words, cwd=tmp_path)
    a, b = (json.loads(out)["ways"][0]["found"] for out in (away, here))
    assert (a["failures"], a["auc"], a["rated"]) == (b["failures"], b["auc"], 8)
    assert a["mass"] == pytest.approx(b["mass"], abs=1e-3)


@pytest.mark.long
def test_rows_of_served_judges_are_those_of_judges_in_process_and_a_server_that_was_away_costs_nothing(
    finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    with connect(f"local:{small_hub}", main=False) as hub:
        folders = {name: (hub.snapshot(hub.resolve("model", name)),) for name in JUDGES}
    server = ServedModels(folders)
    try:
        each = ", ".join(
            f"{{repo: {name}, kind: openai_text, endpoint: '{server.endpoint}', tries: 1}}" for name in JUDGES
        )
        mine = ("--name", "judged", "--hub", f"local:{small_hub}", *SMALL, f"--set=models.judges=[{each}]")
        server.fail_next(10_000, 500)
        _, err = clincot("build-data", *mine, cwd=tmp_path, code=2)
        assert f"server {server.endpoint}/v1: answers 500" in err and "Traceback" not in err
        server.lack()
        _, err = clincot("build-data", *mine, cwd=tmp_path)
        assert "likeliest" not in err and "written out" not in err
    finally:
        server.stop()
    here, there = (candidates(*place, "round-1") for place in ((finished_run[0], "loop"), (tmp_path, "judged")))
    assert texts(here) == texts(there)
    for one, other in zip(here, there, strict=True):
        assert [s["own"] for s in one["judge_scores"]] == pytest.approx(
            [s["own"] for s in other["judge_scores"]], abs=1e-5
        )
    shard = next((tmp_path / "runs/judged").rglob("shard.json"))
    said = json.loads(shard.read_text())["abilities"]["judge-1"]
    assert said.pop("root").startswith(f"{JUDGES[0]}@")
    assert said == {"model": JUDGES[0], "version": "0.0.1", "images": 0, "digits": "exact", "scoring": "expected"}
