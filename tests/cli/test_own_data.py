"""docs/own-data.md, word for word: its files are written, its commands run, with real images and no Python file."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import clincot

from clincot.hub import connect

PAGE = Path(__file__).parents[2] / "docs/own-data.md"
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.M | re.S)
BLOCKS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
IMAGES = 20


def block(kind: str, name: str) -> str:
    (found,) = (text for k, n, text in BLOCKS if (k, n) == (kind, name))
    return found


def commands(folder: Path, run: str) -> Iterator[tuple[str, str]]:
    """Run the page's block of commands that has `--name RUN`; yield what each clincot wrote."""
    (text,) = (text for kind, _, text in BLOCKS if kind == "bash" and f"--name {run} " in text.replace("\n", " "))
    for line in text.splitlines():
        if line.startswith("clincot "):
            yield clincot(*shlex.split(line)[1:], cwd=folder)
        else:
            subprocess.run(shlex.split(line), cwd=folder, check=True)


def radiographs(shared: Path) -> list[dict[str, str]]:
    """The questions about the first 20 images of VQA-RAD's release."""
    rows = json.loads((shared / "vqa_rad/VQA_RAD Dataset Public.json").read_text(encoding="utf-8-sig"))
    there = {path.name for path in (shared / "vqa_rad/images").iterdir()}
    names = [name for name in dict.fromkeys(row["image_name"] for row in rows) if name in there][:IMAGES]
    kept = [row for row in rows if row["image_name"] in names]
    return [
        {"file_name": f"images/{row['image_name']}", "question": row["question"], "answer": str(row["answer"])}
        for row in kept
    ]


def cells(shared: Path) -> list[dict[str, str]]:
    coco = json.loads((shared / "bccd/coco.json").read_text())
    names = {one["id"]: one["name"] for one in coco["categories"]}
    rows = []
    for image in coco["images"]:
        held = [names[one["category_id"]] for one in coco["annotations"] if one["image_id"] == image["id"]]
        asked = {"How many white blood cells are there?": str(held.count("WBC"))}
        asked["Are there platelets?"] = "yes" if "Platelets" in held else "no"
        rows += [{"file_name": f"images/{image['file_name']}", "question": q, "answer": a} for q, a in asked.items()]
    return rows


def write(folder: Path, rows: list[dict[str, str]]) -> None:
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(row) for row in rows]
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shown = block("jsonl", f"{folder.name}/metadata.jsonl").splitlines()
    assert lines[: len(shown)] == shown  # the page shows the first rows


@pytest.fixture(scope="module")
def place(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a user: `radiographs`, `cells`, the page's own files, and a dataset on the Hub."""
    folder = tmp_path_factory.mktemp("own")
    rows = radiographs(shared_data)
    (folder / "radiographs").mkdir()
    (folder / "radiographs/images").mkdir()
    for name in {row["file_name"] for row in rows}:
        shutil.copy(shared_data / "vqa_rad" / name, folder / "radiographs" / name)
    write(folder / "radiographs", rows)
    shutil.copytree(shared_data / "bccd", folder / "cells", ignore=shutil.ignore_patterns("LICENSE"))
    write(folder / "cells", cells(shared_data))
    for kind, name, text in BLOCKS:
        if kind == "yaml":
            (folder / name).write_text(text)
    publish(folder, rows)
    return folder


def publish(folder: Path, rows: list[dict[str, str]]) -> None:
    def row(one: dict[str, str]) -> dict[str, Any]:
        image = {"bytes": (folder / "radiographs" / one["file_name"]).read_bytes(), "path": None}
        return {"Bild": image, "Frage": one["question"], "Antwort": one["answer"]}

    held = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row(one) for one in rows]), held)
    files = {"data/train-00000-of-00001.parquet": held.getvalue()}
    with connect(f"local:{folder / 'clincot-hub'}", main=False) as hub:
        hub.publish("dataset", "someone/roentgen", files, tag=None, message="data", private=False)


def pairs(folder: Path, run: str) -> list[dict[str, Any]]:
    return pq.read_table(folder / f"runs/{run}/round-1/build/merged/pairs.parquet").to_pylist()


def published(folder: Path, run: str) -> str:
    """All text files of the run's store at its first round."""
    with connect(f"local:{folder / 'runs' / run / 'store'}", main=False) as store:
        texts = []
        for repo in (f"demo/{run}-preferences", f"demo/{run}-results"):
            pin = store.resolve("dataset", repo, "round-1")
            names = [path for path in store.list_files(pin) if path.endswith((".md", ".json", ".yaml", ".html"))]
            texts += [store.read(pin, name).decode() for name in names]
        return "\n".join(texts)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_folder_of_radiographs_goes_from_questions_to_a_merged_model(place: Path) -> None:
    said = [err + out for out, err in commands(place, "radiographs")]
    assert block("text", "radiographs") in said[0] and len(said) == 5 and "notice: " not in said[0]
    assert "round 1 - base" in said[3] and (place / "radiographs-merged/config.json").is_file()
    assert {row["example_id"].partition("/")[0] for row in pairs(place, "radiographs")} == {"radiographs"}
    texts = published(place, "radiographs")
    assert "benchmark: ./radiographs" in texts and "synpic" not in texts and str(place) not in texts
    _, err = clincot("build-data", "--name", "radiographs", "--public", cwd=place, code=2)
    assert "benchmark ./radiographs is restricted" in err
    with (place / "radiographs/metadata.jsonl").open("a") as rows:
        rows.write(json.dumps({"file_name": "images/synpic54610.jpg", "question": "More?", "answer": "no"}) + "\n")
    _, err = clincot("build-data", "--name", "radiographs", cwd=place, code=2)
    assert re.search(r"benchmark: ./radiographs@\w+ -> ./radiographs@\w+", err) and "--new-version" in err


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_hub_dataset_with_other_column_names_runs(place: Path) -> None:
    ((out, err),) = commands(place, "german")
    assert "image = Bild, question = Frage, answer = Antwort" in err + out and "round 1 - base" in out
    with connect(f"local:{place / 'clincot-hub'}", main=False) as hub:
        sha = hub.resolve("dataset", "someone/roentgen").sha
    texts = published(place, "german")
    assert sha in texts and "benchmark: ./german" in texts and str(place) not in texts


@pytest.mark.long
@pytest.mark.timeout(900)
def test_boxes_of_coco_and_of_voc_give_the_same_pairs(place: Path) -> None:
    ((out, _),) = commands(place, "cells")
    assert "round 1 - base" in out and "pointing" in out.lower()
    list(commands(place, "cells-voc"))
    one, two = pairs(place, "cells"), pairs(place, "cells-voc")
    assert one == two and {row["chosen_region"]["hypothesis"] for row in one} <= {"lesion", "disease", "abnormality"}
