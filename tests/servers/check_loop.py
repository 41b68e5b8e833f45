"""Two rounds of the phantom over served models, by command: build, train, build from the adapter, evaluate; and doctor.

Texts are greedy, so each round can be built again in process and compared: with sampling, vLLM's draws are its own.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from command import SMALL, clincot
from vllm_servers import NAMES, Vllm

GREEDY = (*SMALL, "--set=method.temperature=0", "--set=build.max_images=6", "--set=evaluate.controls=[]")
SCORE = 1e-4  # a rating moves by 1e-6, look-ahead and margins add a few


@pytest.fixture(scope="module")
def small_hub(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("hub")
    sizes = ("--train", "16", "--validation", "2", "--test", "6")
    clincot("phantom", "draw", "drawn", *sizes, "--push", "--hub", f"local:{folder / 'hub'}", cwd=folder)
    return f"local:{folder / 'hub'}"


@pytest.fixture(scope="module")
def layers(servers: dict[str, Vllm], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return files to lay over the setting: served policy and judge, and the same models in process."""
    folder = tmp_path_factory.mktemp("layers")
    second = {"repo": "clincot/phantom-judge-b"}
    served = {
        "policy": {"kind": "openai", "endpoint": servers["policy"].endpoint},
        "judges": [
            {"repo": NAMES["judge-a"], "kind": "openai_text", "endpoint": servers["judge-a"].endpoint},
            second,
        ],
    }
    here = {"policy": {"kind": "transformers", "endpoint": ""}, "judges": [{"repo": NAMES["judge-a"]}, second]}
    for name, models in (("served", served), ("here", here)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"models": models}))
    return str(folder / "served.yaml"), str(folder / "here.yaml")


def candidates(folder: Path, tag: str) -> dict[str, dict]:  # type: ignore[type-arg]
    rows = pq.read_table(folder / f"runs/loop/{tag}/build/merged/candidates.parquet").to_pylist()
    return {row["id"]: row for row in rows}


def test_two_rounds_over_servers_are_those_in_process(
    layers: tuple[str, str], small_hub: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served, here = (
        ("--name", "loop", "--hub", small_hub, "--setting", "phantom", "--hardware", layer, *GREEDY) for layer in layers
    )
    said = []

    def run(*words: str) -> str:
        started = time.monotonic()
        _, err = clincot(*words, cwd=tmp_path, timeout=900)
        where = "over servers" if layers[0] in words else "in process"
        said.append(f"{words[0]}, round {words[2]}, {where}: {time.monotonic() - started:.0f} s")
        return err

    for round_ in ("1", "2"):
        run("build-data", "--round", round_, *served)
        run("train", "--round", round_, *served)
        assert f"(round-{round_}-v2) made" in run("build-data", "--round", round_, "--new-version", *here)
        away, near = candidates(tmp_path, f"round-{round_}"), candidates(tmp_path, f"round-{round_}-v2")
        assert away.keys() == near.keys() and len(away) >= 20
        equal = sum(away[key]["text"] == near[key]["text"] for key in near)
        apart = max(abs(away[key]["score"] - near[key]["score"]) for key in near)
        said.append(f"round {round_}: {equal} of {len(near)} texts equal, scores up to {apart:.1e} apart")
        assert equal == len(near) and apart < SCORE
    started = time.monotonic()
    out, _ = clincot("evaluate", *served, cwd=tmp_path, timeout=900)
    said.append(f"evaluate base and 2 rounds over servers: {time.monotonic() - started:.0f} s")
    with capsys.disabled():
        print("\n" + "\n".join(said))
    assert "round-2" in out


def test_doctor_finds_nothing_to_change(
    layers: tuple[str, str], small_hub: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("doctor", "--servers", "--compare", "--hub", small_hub, "--hardware", layers[0])
    out, _ = clincot(*words, cwd=tmp_path)
    with capsys.disabled():
        print(f"\n{out}")
    assert max(map(len, out.splitlines())) <= 80
    found = json.loads(clincot(*words, "--json", cwd=tmp_path)[0])
    states = {(one["role"], check["name"]): check["state"] for one in found["servers"] for check in one["checks"]}
    assert set(states.values()) == {"ok"} and {role for role, _ in states} == {"policy", "judge-1"}
