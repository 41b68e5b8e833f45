"""A machine without the run's folder: `--round N` goes on from what is on the Hub; an export needs nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import SMALL, clincot, script

from clincot.hub import connect
from clincot.localhub import LocalHub, environment
from clincot.runs.releases import read_lineage

ROUNDS = (1, 2)


@pytest.mark.long
def test_a_round_continues_from_the_hub_alone_to_the_same_weights(
    finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    _, err = clincot("train", "--round", "2", "--name", "loop", "--hub", f"local:{small_hub}", *SMALL, cwd=tmp_path)
    assert "model demo/loop (round-2) made" in err
    hub, store = (connect(f"local:{path}", main=False) for path in (small_hub, tmp_path / "runs/loop/store"))
    there, here = (read_lineage(h, h.resolve("model", "demo/loop", "round-2"), 2) for h in (hub, store))
    assert here.adapter_sha256 == there.adapter_sha256 and here.facts["reference_sha256"] is not None
    first = read_lineage(hub, hub.resolve("model", "demo/loop", "round-1"), 1)
    assert here.facts["reference_sha256"] == first.adapter_sha256 == here.sampled_from


def test_rounds_record_their_partition_and_share_no_image(finished_run: tuple[Path, str, str], small_hub: Path) -> None:
    import pyarrow.parquet as pq

    hub = connect(f"local:{small_hub}", main=False)
    seen = []
    for number in ROUNDS:
        pin = hub.resolve("dataset", "demo/loop-preferences", f"round-{number}")
        assert read_lineage(hub, pin, number).facts["partition"] == {"rounds": 2, "seed": 0, "unit": "image"}
        folder = hub.snapshot(pin, [f"round-{number}/*.parquet"])
        rows = pq.read_table(sorted((folder / f"round-{number}").glob("*.parquet")), columns=["images"]).to_pylist()
        seen.append({row["images"][0]["path"] for row in rows})
    assert seen[0] and seen[1] and not seen[0] & seen[1]


def test_the_curve_is_in_the_adapter_repository_and_on_its_card(
    finished_run: tuple[Path, str, str], small_hub: Path
) -> None:
    hub = connect(f"local:{small_hub}", main=False)
    pin = hub.resolve("model", "demo/loop", "round-2")
    assert hub.read(pin, "round-2/curve.png").startswith(b"\x89PNG")
    assert "(round-2/curve.png)" in hub.read(pin, "README.md").decode()


@pytest.mark.long
def test_a_merged_export_is_pushed_and_loads_as_a_plain_model(
    finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    words = ("--name", "loop", "--hub", f"local:{small_hub}", *SMALL)
    _, err = clincot("export", "out", *words, cwd=tmp_path, code=2)
    assert "Give --merged" in err
    _, err = clincot("export", "out", "--merged", "--push", *words, cwd=tmp_path)
    assert "wrote out (float32) from demo/loop@" in err and "pushed as demo/loop-merged@" in err
    assert "adapter `demo/loop` (`round-2`" in (tmp_path / "out/README.md").read_text()
    _, err = clincot("export", "out", "--merged", *words, cwd=tmp_path, code=2)
    assert "out: exists and is not empty" in err
    with LocalHub(small_hub) as served:
        said = script(
            """
import json, torch
from huggingface_hub import HfApi
from transformers import AutoModelForImageTextToText, AutoProcessor
model = AutoModelForImageTextToText.from_pretrained("demo/loop-merged", revision="round-2")
AutoProcessor.from_pretrained("demo/loop-merged", revision="round-2")
files = HfApi().list_repo_files("demo/loop-merged")
print(json.dumps({"kind": type(model).__name__, "lora": [n for n, _ in model.named_parameters() if "lora" in n],
                  "files": files}))
""",
            tmp_path,
            environment(served.endpoint, small_hub, served.token),
        )
    found = json.loads(said.splitlines()[-1])
    assert found["kind"] == "LlavaForConditionalGeneration" and not found["lora"]
    assert {"model.safetensors", "config.json", "generation_config.json", "processor_config.json"} <= set(
        found["files"]
    )
