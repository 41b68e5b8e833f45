"""A finished run, read back by every library that reads Hubs, at tag, branch and commit, in plain scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import script

from clincot.localhub import LocalHub, environment

REVISIONS = """
import pathlib, subprocess, sys
from huggingface_hub import HfApi
def shas(repo, kind):
    api = HfApi()
    main, first = (api.repo_info(repo, repo_type=kind, revision=r).sha for r in ("main", "round-1"))
    api.create_branch(repo, repo_type=kind, branch="study", revision="round-1", exist_ok=True)
    return {"tag": "round-1", "branch": "study", "sha": first}, main
def hf_download(repo, kind, revision):
    program = pathlib.Path(sys.executable).parent / "hf"
    words = ["download", repo, "--repo-type", kind, "--revision", revision, "--local-dir", f"{kind}-{revision}"]
    subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL)
    return pathlib.Path(f"{kind}-{revision}")
"""
DATA = (
    REVISIONS
    + """
import hashlib, json
from datasets import load_dataset
from huggingface_hub import HfFileSystem, snapshot_download
from pyarrow import parquet
repo, path = "demo/loop-preferences", "round-1/train-00000-of-00001.parquet"
revisions, main = shas(repo, "dataset")
seen = {}
for name, revision in {**revisions, "main": "main"}.items():
    rows = load_dataset(repo, "round-1", revision=revision, split="train")
    streamed = list(load_dataset(repo, "round-1", revision=revision, split="train", streaming=True))
    with HfFileSystem().open(f"datasets/{repo}@{revision}/{path}", "rb") as file:
        by_files = parquet.read_table(file)
    folder = snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=["round-1/*"])
    seen[name] = {
        "ids": [list(rows["id"]), [row["id"] for row in streamed], by_files["id"].to_pylist(),
                parquet.read_table(f"{folder}/{path}")["id"].to_pylist(),
                parquet.read_table(hf_download(repo, "dataset", revision) / path)["id"].to_pylist()],
        "images": [rows[0]["side_images"][0].tobytes() == streamed[0]["side_images"][0].tobytes(),
                     rows[0]["images"][0].size],
        "sha": folder.split("/")[-1],
    }
print(json.dumps({"seen": seen, "revisions": revisions, "head": main}))
"""
)
WEIGHTS = (
    REVISIONS
    + """
import json, torch
from huggingface_hub import HfFileSystem, snapshot_download
from peft import AutoPeftModel, PeftModel
from safetensors.torch import load, load_file
from transformers import AutoModelForImageTextToText
torch.set_num_threads(1)
repo = "demo/loop"
revisions, main = shas(repo, "model")
base = AutoModelForImageTextToText.from_pretrained("clincot/phantom-policy")
def lora(model):
    held = {k.replace(".default", ""): v for k, v in model.state_dict().items() if "lora_" in k}
    model.unload()
    return held
seen = {}
for name, revision in {**revisions, "main": "main"}.items():
    folder = snapshot_download(repo, revision=revision)
    stored = load_file(f"{folder}/adapter_model.safetensors")
    with HfFileSystem().open(f"{repo}@{revision}/adapter_model.safetensors", "rb") as file:
        found = [load(file.read()), load_file(hf_download(repo, "model", revision) / "adapter_model.safetensors"),
                 lora(PeftModel.from_pretrained(base, repo, revision=revision)),
                 lora(AutoPeftModel.from_pretrained(repo, revision=revision))]
    equal = [set(one) == set(stored) and all(torch.equal(stored[k], one[k]) for k in stored) for one in found]
    seen[name] = {"equal": equal, "tensors": len(stored), "sha": folder.split("/")[-1],
                  "first": float(sum(v.double().sum() for v in stored.values()))}
print(json.dumps({"seen": seen, "revisions": revisions, "head": main}))
"""
)


@pytest.fixture(scope="module")
def served(small_hub: Path, finished_run: tuple[Path, str, str]) -> Iterator[dict[str, str]]:
    with LocalHub(small_hub) as hub:
        yield environment(hub.endpoint, small_hub, hub.token)


@pytest.mark.long
def test_rows_are_the_same_by_every_reader_at_tag_branch_and_commit(served: dict[str, str], tmp_path: Path) -> None:
    said = json.loads(script(DATA, tmp_path, served).splitlines()[-1])
    first = said["seen"]["tag"]["ids"][0]
    assert first
    for name, seen in said["seen"].items():
        assert seen["ids"] == [first] * 5, name
        assert seen["images"] == [True, [256, 256]]
        assert seen["sha"] == (said["head"] if name == "main" else said["revisions"]["sha"])


@pytest.mark.long
def test_weights_are_the_same_by_every_reader_at_tag_branch_and_commit(served: dict[str, str], tmp_path: Path) -> None:
    said = json.loads(script(WEIGHTS, tmp_path, served).splitlines()[-1])
    assert said["head"] != said["revisions"]["sha"]
    for name, seen in said["seen"].items():
        assert seen["tensors"] > 0 and seen["equal"] == [True] * 4, name
        assert seen["sha"] == (said["head"] if name == "main" else said["revisions"]["sha"])
    numbers = {name: seen["first"] for name, seen in said["seen"].items()}
    assert numbers["tag"] == numbers["branch"] == numbers["sha"] != numbers["main"]
