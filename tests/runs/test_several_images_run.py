"""Own data with three images a row, from the check to a merged model: a method without regions, in one process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from clincot.images import content_id
from clincot.phantom.drawing.draw import draw
from clincot.recipe import load_recipe
from clincot.runs.data_check.check import check_data
from clincot.runs.data_check.held import read_held
from clincot.runs.evaluation.evaluate import evaluate_rounds
from clincot.runs.exporting import export_round
from clincot.runs.prepare import prepare
from clincot.runs.rounds.build import build_round
from clincot.runs.rounds.restore import restore
from clincot.runs.rounds.train import train_round
from clincot.runs.run import Run, open_run

ROOT = Path(__file__).parents[2]
VIEWS = ("frontal", "lateral", "oblique")
SMALL = (
    f"method={ROOT / 'examples/self_rewarding.py'}:SelfRewarding",
    *("models.judges=[{kind: policy_itself}]", "build.judging.scoring=yesno", "method.temperature=3", "method.top_p=1"),
    *("rounds=1", "build.max_new_tokens=8", "train.conditioning=per_side", "train.dpo.max_steps=1"),
    *("train.dpo.per_device_train_batch_size=2", "evaluate.resamples=20", "evaluate.controls=[]"),
)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several") / "studies"
    folder.mkdir()
    rows = []
    for i in range(6):
        for j, view in enumerate(VIEWS):
            Image.fromarray(draw(3, 3 * i + j).image).save(folder / f"{i}-{view}.png")
        said = {"question": "Is there a nodule?", "answer": "yes", "split": "train" if i < 4 else "test"}
        rows.append({view: f"{i}-{view}.png" for view in VIEWS} | said)
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "clincot.yaml").write_text(f"image: [{', '.join(VIEWS)}]\nprimary: lateral\n")
    return folder


@pytest.fixture(scope="module")
def run(studies: Path) -> Iterator[Run]:
    recipe = load_recipe("clincot", "phantom", benchmark=str(studies), overrides=SMALL)
    where = f"local:{studies.parent / 'hub'}"
    made = open_run(recipe, name="several", hub=where, folder=studies.parent / "runs")
    prepare(made, lambda said: None)
    yield made
    made.store.close()
    made.target.close()


def test_rows_of_several_images_go_from_the_check_to_a_merged_model(
    studies: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = check_data(read_held(str(studies), "local:nowhere", "", lambda said: None))
    assert (checked.faults, checked.splits["train"].images, checked.splits["test"].images) == (0, 12, 6)
    build = build_round(run, 1)
    assert "3 images a prompt" in capsys.readouterr().err  # what the policy was tried with before any work
    (full,) = run.folder.glob("round-1/build/merged/pairs.parquet")
    rows = pq.read_table(full).to_pylist()
    order = ("lateral", "frontal", "oblique")
    for row in rows:
        number = row["example_id"].rpartition("/")[2]
        files = [content_id((studies / f"{number}-{view}.png").read_bytes()) for view in order]
        assert [image["path"].partition(".")[0] for image in row["images"]] == files
    assert {row["prompt"][0]["content"].splitlines()[-1] for row in rows} == {
        "Answer the question based on the images."
    }
    train_round(run, 1)
    found = evaluate_rounds(run, 1)
    assert {p.inference for p in found.evaluation.predictions} == {"direct", "region"}
    merged = studies.parent / "merged"
    export_round(run, 1, merged)
    assert (merged / "config.json").is_file()
    # The data are restricted: the release has no images, and the copy on this machine gives all of them back.
    again = restore(run, run.store, build.pin, build.lineage)
    assert pq.read_table(again).to_pylist() == rows
