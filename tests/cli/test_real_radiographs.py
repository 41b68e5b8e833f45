"""Real input: the complete VQA-RAD on an embedded Hub under its public id, and the loop on it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import llava_med_files
import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot

from tests.docs.blocks import lines_to_run
from tests.metrics.test_twins import TWINS, scores

TUTORIAL = "docs/tutorial-vqa-rad.md"
OTHERS = ["view", "compare", "evaluate"]


@pytest.fixture(scope="module")
def vqa_rad_hub(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the first line of docs/tutorial-vqa-rad.md has run."""
    folder = tmp_path_factory.mktemp("vqa-rad")
    (folder / "vqa_rad").symlink_to((shared_data / "vqa_rad").resolve())
    clincot(*lines_to_run(TUTORIAL)[0], cwd=folder)
    return folder


@pytest.mark.long
def test_the_tutorial_on_real_radiographs_runs(vqa_rad_hub: Path) -> None:
    (import_, run, *others) = lines_to_run(TUTORIAL)
    assert import_[:2] == ("benchmarks", "import") and run[0] == "run" and [words[0] for words in others] == OTHERS
    out, err = clincot(*run, *SMALL, cwd=vqa_rad_hub)
    assert "round 2 - base" in out
    assert "demo/rad  round-2" in err
    for words in others:
        clincot(*words, cwd=vqa_rad_hub)
    assert (vqa_rad_hub / "view-1/index.html").is_file()
    pairs = pq.read_table(vqa_rad_hub / "runs/rad/round-1/build/merged/pairs.parquet").to_pylist()
    assert pairs and all(len(row["side_images"]) == 2 for row in pairs)


@pytest.mark.long
def test_what_a_llava_med_crops_is_said_and_image_fit_pads_it_in_every_stage(vqa_rad_hub: Path, tmp_path: Path) -> None:
    """Its processor as conversions of others have it: CLIP's, which crops."""
    llava_med_files.write(tmp_path / "source")
    hub = ("--hub", f"local:{vqa_rad_hub / 'clincot-hub'}")
    clincot("convert", "llava-med", "source", "model", cwd=tmp_path)
    path = tmp_path / "model/processor_config.json"
    content = json.loads(path.read_text())
    content["image_processor"] |= {"do_pad": False, "image_processor_type": "CLIPImageProcessor"}
    path.write_text(json.dumps(content))
    clincot("hub", "import", "model", "--as", "me/cropping", "--kind", "model", *hub, cwd=tmp_path)
    words = ("--benchmark", "vqa-rad", *hub, *SMALL, "--set=models.policy.repo=me/cropping", "--set=rounds=1")
    # Random weights end no text: each is cut, in one step.
    words += ("--set=build.max_new_tokens=8", "--set=evaluate.max_new_tokens=8", "--set=build.cut_texts=train")
    words += ("--set=method.steps=1", "--set=method.min_gap=0.0000001")
    _, err = clincot("build-data", "--name", "crops", *words, cwd=tmp_path)
    assert re.search(
        r"CLIPImageProcessor crops images to a square: \d+\.\d% of the area of these 4 images is lost", err
    )
    out, err = clincot("run", "--name", "pads", *words, "--set=image_fit=pad", cwd=tmp_path)
    assert "crops images" not in err and "round 1 - base" in out
    _, err = clincot("build-data", "--name", "pads", *words, "--round", "1", cwd=tmp_path, code=2)
    assert "image_fit: pad -> none" in err and "--new-version" in err
    clincot("export", "merged", "--merged", "--name", "pads", *words, "--set=image_fit=pad", cwd=tmp_path)
    assert "(`image_fit: pad`)" in (tmp_path / "merged/README.md").read_text()
    made = json.loads((tmp_path / "merged/processor_config.json").read_text())["image_processor"]
    assert made["do_pad"] and made["image_processor_type"] == "LlavaImageProcessor"
    lines, _ = clincot("convert", "check", "merged", cwd=tmp_path)
    assert "crop: nothing is lost: images are padded" in lines and "fails" not in lines


@pytest.mark.long
def test_the_whole_test_split_is_answered(vqa_rad_hub: Path) -> None:
    words = ("--benchmark", "vqa-rad", "--name", "whole", "--hub", "local:clincot-hub")
    everything = (*SMALL, "--set=evaluate.max_images=0")
    out, _ = clincot("evaluate", *words, *everything, cwd=vqa_rad_hub)
    assert "451" in out
    pairs = own_answers(vqa_rad_hub)
    assert {kind: len(own) for kind, own in pairs.items()} == {"CLOSED": 272, "OPEN": 179}
    plain = scores(pairs, str)
    for name, twin in TWINS.items():
        assert scores(pairs, twin) == pytest.approx(plain, abs=0.5), name


def own_answers(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the tiny policy's answers by region with their golds, by kind of question."""
    from clincot.benchmarks import load
    from clincot.hub import connect

    benchmark = load("vqa-rad")
    with connect(f"local:{folder / 'clincot-hub'}", main=False) as hub:
        pin = hub.resolve("dataset", benchmark.source.repo)
        examples = {e.id: e for e in benchmark.examples(hub.snapshot(pin, benchmark.patterns), "test")}
    rows = pq.read_table(folder / "runs/whole/base/results/predictions.parquet").to_pylist()
    pairs: dict[str, list[tuple[str, str]]] = {"CLOSED": [], "OPEN": []}
    for row in rows:
        if (row["policy"], row["inference"], row["control"]) == ("base", "region", ""):
            example = examples[row["example_id"]]
            pairs[example.answer_type.upper()].append((row["text"], example.answer))
    return pairs
