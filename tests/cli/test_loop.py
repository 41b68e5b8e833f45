"""Two commands from nothing to a trained, pushed, evaluated adapter, and plain scripts that load what they left."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot, script, start
from PIL import Image


@pytest.fixture(scope="module")
def served(small_hub: Path, finished_run: tuple[Path, str, str]) -> Iterator[dict[str, str]]:
    """Serve the Hub by `clincot hub serve` and return what `clincot hub env` says to export."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    server = start("hub", "serve", str(small_hub), "--port", port, cwd=small_hub.parent)
    try:
        assert server.stderr is not None and "Hub" in server.stderr.readline()
        out, _ = clincot("hub", "env", str(small_hub), "--port", port, cwd=small_hub.parent)
        yield dict(re.findall(r"export (\w+)='?([^'\n]*)'?", out))
    finally:
        server.kill()
        server.communicate()


def test_a_run_ends_with_a_table_the_repositories_and_how_to_load_the_adapter(
    finished_run: tuple[Path, str, str],
) -> None:
    _, out, err = finished_run
    assert re.search(r"base +round 1 +round 2 +no image +round 2 - base\n", out)
    assert re.search(r"[+-]\d+\.\d \([+-]\d+\.\d to [+-]\d+\.\d\)", out)  # the difference with its interval
    assert re.search(
        r"Round 2 .*on \d+ questions of \d+ images; without the image it would score \d", " ".join(out.split())
    )
    assert "…" not in out and all(len(line) <= 80 for line in out.splitlines())
    for line in (
        r"dataset demo/loop-preferences  round-1",
        r"model   demo/loop  round-2",
        r"The results as a page \(--open shows it\): runs/loop/round-2/results/results.html",
        r'PeftModel.from_pretrained\(base, "demo/loop", revision="round-2"\)',
        r"Next: clincot ",
    ):
        assert re.search(line, err), line


def test_a_plain_script_loads_rows_crops_and_weights_of_every_tag(served: dict[str, str], tmp_path: Path) -> None:
    said = script(
        """
import hashlib, json
from datasets import load_dataset
from peft import AutoPeftModel, PeftModel
from safetensors.torch import load_file
from huggingface_hub import hf_hub_download
from transformers import AutoModelForImageTextToText
rows = {n: load_dataset("demo/loop-preferences", f"round-{n}", revision=f"round-{n}")["train"] for n in (1, 2)}
one_at_two = load_dataset("demo/loop-preferences", "round-1", revision="round-2")["train"]
base = AutoModelForImageTextToText.from_pretrained("clincot/phantom-policy")
names = {}
for n in (1, 2):
    model = PeftModel.from_pretrained(base, "demo/loop", revision=f"round-{n}")
    file = hf_hub_download("demo/loop", "adapter_model.safetensors", revision=f"round-{n}")
    names[n] = hashlib.sha256(open(file, "rb").read()).hexdigest()
    held = {k: v for k, v in model.state_dict().items() if "lora_" in k}
    assert held and len(held) == len(load_file(file))
    model.unload()
AutoPeftModel.from_pretrained("demo/loop", revision="round-2")
row = rows[2][0]
print(json.dumps({
    "rows": {n: len(r) for n, r in rows.items()},
    "rounds": {n: sorted(set(r["round"])) for n, r in rows.items()},
    "same": rows[1]["id"] == one_at_two["id"],
    "prompt": row["prompt"], "global": row["images"][0].size, "sides": [i.size for i in row["side_images"]],
    "boxes": [row["chosen_region"]["box"], row["rejected_region"]["box"]], "weights": names,
    "scores": [row["chosen_score"], row["rejected_score"]],
}))
""",
        tmp_path,
        served,
    )
    found = json.loads(said.splitlines()[-1])
    assert found["rows"]["1"] > 0 and found["rows"]["2"] > 0
    assert found["rounds"] == {"1": [1], "2": [2]} and found["same"]
    assert found["weights"]["1"] != found["weights"]["2"]
    assert found["global"] == [256, 256]
    boxes = [(right - left, lower - upper) for left, upper, right, lower in found["boxes"]]
    assert [tuple(size) for size in found["sides"]] == boxes
    assert [set(turn) for turn in found["prompt"]] == [{"role", "content"}]
    assert isinstance(found["prompt"][0]["content"], str) and "<image>" not in found["prompt"][0]["content"]
    assert found["scores"][0] > found["scores"][1]


def test_repositories_carry_their_rounds_and_no_pickle(served: dict[str, str], tmp_path: Path) -> None:
    said = script(
        """
import json
from huggingface_hub import HfApi, ModelCard, DatasetCard, hf_hub_download
api = HfApi()
print(json.dumps({
    "adapter": api.list_repo_files("demo/loop", revision="round-2"),
    "data": api.list_repo_files("demo/loop-preferences", repo_type="dataset", revision="round-2"),
    "tags": [t.name for t in api.list_repo_refs("demo/loop").tags],
    "card": ModelCard.load("demo/loop").data.to_dict(),
    "private": api.model_info("demo/loop").private,
    "lineage": json.load(open(hf_hub_download("demo/loop", "rounds/round-2/lineage.json", revision="round-2"))),
    "data_lineage": json.load(open(hf_hub_download(
        "demo/loop-preferences", "rounds/round-2/lineage.json", revision="round-2", repo_type="dataset"))),
    "first": json.load(open(hf_hub_download("demo/loop", "rounds/round-1/lineage.json", revision="round-1"))),
}))
""",
        tmp_path,
        served,
    )
    found = json.loads(said.splitlines()[-1])
    assert "adapter_model.safetensors" in found["adapter"]
    assert not [name for name in found["adapter"] if name.endswith((".bin", ".pt", ".pkl")) or name.startswith("ref/")]
    assert {"rounds/round-1/lineage.json", "rounds/round-2/recipe.yaml"} <= set(found["data"])
    assert any(name.startswith("round-1-candidates/") for name in found["data"])
    assert sorted(found["tags"]) == ["round-1", "round-2"]
    assert found["card"]["library_name"] == "peft" and found["card"]["base_model"] == "clincot/phantom-policy"
    assert found["private"] is True
    # Round 2 was sampled from, and trained from, the adapter that round 1 left.
    assert found["data_lineage"]["sampled_from"] == found["first"]["adapter_sha256"] == found["lineage"]["sampled_from"]
    assert found["first"]["sampled_from"] == "base"
    tried = {"images": 2, "shared": True, "reason": "", "window": 0}
    assert found["data_lineage"]["facts"]["abilities"] == {"policy": tried}
    facts = found["lineage"]["facts"]
    assert facts["first_loss"] == pytest.approx(facts["known_first_loss"], abs=1e-3)


def test_what_the_policy_can_do_is_said_once_when_it_is_loaded(finished_run: tuple[Path, str, str]) -> None:
    _, _, err = finished_run
    said = [line for line in err.splitlines() if "prompts share what they begin with" in line]
    assert len(said) == 1 and said[0].startswith("policy clincot/phantom-policy@") and "2 images a prompt" in said[0]


def test_pairs_take_little_more_room_than_their_distinct_images(finished_run: tuple[Path, str, str]) -> None:
    folder, _, _ = finished_run
    for round_ in ("round-1", "round-2"):
        pairs = folder / "runs" / "loop" / round_ / "build" / "merged" / "pairs.parquet"
        rows = pq.read_table(pairs, columns=["images", "side_images"]).to_pylist()
        distinct = {one["path"]: len(one["bytes"]) for row in rows for one in (*row["images"], *row["side_images"])}
        assert pairs.stat().st_size <= 1.3 * sum(distinct.values())


def test_a_command_that_is_given_again_does_nothing_twice(finished_run: tuple[Path, str, str], small_hub: Path) -> None:
    folder, _, _ = finished_run
    words = ("--name", "loop", "--hub", f"local:{small_hub}", *SMALL)
    _, err = clincot("train", "--round", "2", *words, cwd=folder)
    assert "exists already" in err
    _, err = clincot("build-data", "--round", "1", *words, "--set=method.min_gap=0.2", cwd=folder, code=2)
    assert "a tag never moves" in err and "--new-version" in err and "Traceback" not in err


def test_the_pairs_of_a_round_are_a_page_with_gold_answers_and_images(
    finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    folder, _, _ = finished_run
    words = ("--name", "loop", "--hub", f"local:{small_hub}")
    out, err = clincot("view", "round-1", "--out", str(tmp_path / "page"), *words, cwd=folder)
    data = (tmp_path / "page/data.js").read_text().partition(" = ")[2].rstrip(";\n")
    found = json.loads(data)["entries"]
    assert f"{len(found)} pairs" in err and out.strip() == str(tmp_path / "page/index.html") and found
    assert all(one["gold"] and one["kind"] and one["regions"] for one in found)
    assert all({c["side"] for c in one["candidates"]} >= {"chosen", "rejected"} for one in found)
    assert all((tmp_path / "page" / image["file"]).is_file() for one in found for image in one["chosen"]["images"])
    kept = json.loads(data)["maps"]
    assert all({region["hypothesis"] for region in one["regions"]} == kept[one["image"]].keys() for one in found)
    from_hub, _ = clincot("view", "demo/loop-preferences@round-1", "--out", str(tmp_path / "hub"), *words, cwd=folder)
    assert from_hub.strip() == str(tmp_path / "hub/index.html")
    assert "No heat maps:" in (tmp_path / "hub/index.html").read_text()
    _, err = clincot("view", "round-1", "--out", str(tmp_path / "page"), *words, cwd=folder, code=2)
    assert "exists and is not empty. Name a new folder" in err


def test_one_question_about_an_image_is_answered_by_base_and_adapter(
    finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    folder, _, _ = finished_run
    dicoms = pytest.importorskip("tests.dicoms")  # which needs pydicom
    (tmp_path / "film.dcm").write_bytes(dicoms.dicom(np.arange(64 * 80, dtype=np.uint16).reshape(64, 80)))
    words = ("--hub", f"local:{small_hub}", "--compare", "base", "--adapter", "loop@round-2")
    drawn = tmp_path / "film.png"
    out, err = clincot(
        "ask", str(tmp_path / "film.dcm"), "Can a nodule be seen?", *words, "--out", str(drawn), cwd=folder
    )
    assert [line for line in out.splitlines() if line[:1].strip()] == ["base", "round-2"]
    assert out.count("  answer: ") == 2 and "Not for clinical use." in err and "notice" not in err
    with Image.open(drawn) as image:
        assert image.size == (640, 512)
    words = ("--hub", f"local:{small_hub}", "--adapter", "demo/loop@round-1", "--json", "--name", "loop")
    (one,) = json.loads(clincot("ask", str(drawn), "Is it normal?", *words, cwd=folder)[0])
    assert one["policy"] == "demo/loop@round-1" and one["answer"] and not one["failure"]
    assert all(len(looked["box"]) == 4 for looked in one["looked"])


def test_the_page_is_exported_as_a_space_that_names_what_it_loads(
    finished_run: tuple[Path, str, str], small_hub: Path
) -> None:
    folder, _, _ = finished_run
    words = ("--name", "loop", "--hub", f"local:{small_hub}", "--adapter", "round-2")
    out, err = clincot("app", "--export-space", "space", *words, cwd=folder)
    space = folder / out.strip()
    assert {path.name for path in space.iterdir()} == {
        *("app.py", "recipe.yaml", "requirements.txt", "README.md", "clincot")
    }
    assert (space / "clincot" / "_recipes" / "clincot.yaml").is_file() and not list(space.rglob("*.pyc"))
    sha = re.search(r"demo/loop@([0-9a-f]{40})", (space / "app.py").read_text())
    assert sha and "WARNING: a Space does not reach local:" in err and "Keep the Space private" in err
    everything = "".join(path.read_text() for path in space.iterdir() if path.is_file())
    assert str(small_hub) not in everything and str(folder) not in everything and "hf_" not in everything
    assert re.search(r"revision: [0-9a-f]{40}", (space / "recipe.yaml").read_text())


def test_hub_ls_lists_what_was_pushed(small_hub: Path, finished_run: tuple[Path, str, str]) -> None:
    out, _ = clincot("hub", "ls", str(small_hub), cwd=small_hub.parent)
    assert re.search(r"model +demo/loop .*private.*round-1 round-2", out)
    assert re.search(r"dataset +clincot/phantom ", out)


@pytest.mark.long
def test_a_new_version_is_built_beside_the_old_one(finished_run: tuple[Path, str, str], small_hub: Path) -> None:
    folder, _, _ = finished_run
    words = ("--name", "loop", "--hub", f"local:{small_hub}", *SMALL, "--set=method.min_gap=0.002")
    _, err = clincot("build-data", "--round", "1", "--new-version", *words, cwd=folder)
    assert "(round-1-v2) made" in err
    out, _ = clincot("hub", "ls", str(folder / "runs/loop/store"), cwd=folder)
    assert re.search(r"loop-preferences .* round-1 round-1-v2 round-2", out)
