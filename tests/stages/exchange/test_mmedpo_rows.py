"""MMedPO's released rows: read, filtered, reported, and one training step whose loss is known.

VQA-RAD's rows have their images; those of SLAKE and IU-Xray are not at hand, so drawn ones have their names.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from clincot.recipe import Margin
from clincot.rows import formats
from clincot.runs.rounds.imported_facts import said_of
from clincot.stages.exchange.gold import read_gold
from clincot.stages.exchange.importing import ImportJob, ImportOutcome, import_rows
from clincot.stages.exchange.rules import NOT_GOLD, Rules
from clincot.stages.train.dpo import TrainJob, train_adapter
from tests.objectives.rows import png
from tests.stages.train.test_train import make_recipe
from tests.tiny import tiny_policy

FORM = formats.load("mmedpo")
LEAKS = {"chosen": "whose chosen text repeats a prompt", "rejected": "whose rejected text repeats a prompt"}


@pytest.fixture
def released(shared_data: Path) -> Path:
    if not (shared_data / "mmedpo").is_dir():
        pytest.skip(f"no MMedPO rows at {shared_data}")
    return shared_data


def stand_ins(path: Path, folder: Path) -> Path:
    """Draw an image under each name that the rows give; none of the benchmark's own."""
    for number, name in enumerate(dict.fromkeys(row["image"] for row in json.loads(path.read_text()))):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(number % 7))
    return folder


def gold_of(released: Path, name: str, folder: Path) -> Path:
    if name != "iuxray":
        return released / {"slake": "slake/train.json", "vqa-rad": "vqa_rad/VQA_RAD Dataset Public.json"}[name]
    reports = json.loads((released / "iu_xray/annotation.json").read_text())["train"]
    lines = [json.dumps({"image": f"{one['id']}/0.png", "answer": one["report"]}) for one in reports]
    path = folder / "gold.jsonl"
    path.write_text("\n".join(lines))
    return path


def imported(job: ImportJob, gold: Path) -> ImportOutcome:
    rules = Rules(FORM.leaks, read_gold(gold))
    return import_rows(ImportJob(job.files, FORM, job.images, job.path, rules=rules, keep=frozenset({NOT_GOLD})))


def one_step(path: Path, folder: Path) -> float:
    """Train one step of a tiny policy on the rows and return the loss before it."""
    base = tiny_policy(folder / "base")
    recipe = make_recipe(dpo={"max_steps": 1}, conditioning="per_side", margin=Margin("none", 1.0))
    job = TrainJob(recipe, 1, (path,), base, "tests/tiny", None, folder / "work", stored_reference=False)
    facts = train_adapter(job).facts
    assert facts["steps"] == 1 and facts["first_gap"] <= facts["first_gap_allowed"]
    assert facts["first_loss"] == pytest.approx(facts["known_first_loss"], abs=1e-5)
    return facts["first_loss"]


COUNTS = {
    # rows, (pairs, equal, zero), leaks (chosen, rejected), gold (equal, other), mean words
    "vqa-rad": (1797, (1759, 0, 12), (23, 4), (1652, 145), (1.87, 13.26)),
    "slake": (4919, (4671, 5, 78), (145, 27), (3739, 1180), (2.02, 13.01)),
    "iuxray": (2069, (2033, 0, 34), (0, 8), (16, 2053), (52.68, 48.9)),
}


def check(name: str, outcome: ImportOutcome, path: Path) -> None:
    rows, (pairs, equal, zero), leaks, gold, words = COUNTS[name]
    facts, broken = outcome.facts, outcome.report.broken
    assert (facts["rows_read"], facts["pairs"]) == (rows, pairs) and not outcome.report.unfits
    assert (broken["whose chosen and rejected text are equal"], broken["with weight 0"]) == (equal, zero)
    assert (broken[LEAKS["chosen"]], broken[LEAKS["rejected"]]) == leaks
    assert facts["chosen_and_gold"] == {"equal": gold[0], "other": gold[1], "unknown": 0}
    assert (facts["mean_words_chosen"], facts["mean_words_rejected"]) == words
    held = pq.read_table(path, columns=["weight", "chosen", "rejected"]).to_pylist()
    assert Counter(f"{round(row['weight'], 2):g}" for row in held) == facts["weights"]
    assert all(row["weight"] > 0 and row["chosen"] != row["rejected"] for row in held)
    said = "\n".join(said_of(outcome, FORM, "none"))
    assert "weights: " in said and f"{gold[1]:,} are not" in said
    assert ("DPO can learn length" in said) == (name != "iuxray")


def first_loss_of(path: Path) -> float:
    weights = [row["weight"] for row in pq.read_table(path, columns=["weight"]).slice(0, 8).to_pylist()]
    return math.log(2) * sum(weights) / len(weights)


def test_vqa_rads_rows_with_their_images(released: Path, tmp_path: Path) -> None:
    """All rows are read and reported; a tiny policy takes a step on them, and the loss is log 2 x weight."""
    file = released / "mmedpo/vqa-rad_dpo_weighted.json"
    job = ImportJob((file,), FORM, released / "vqa_rad/images", tmp_path / "pairs.parquet")
    outcome = imported(job, gold_of(released, "vqa-rad", tmp_path))
    check("vqa-rad", outcome, job.path)
    assert outcome.facts["images"] == 313 and outcome.facts["images_without_notes"] == 0
    assert one_step(job.path, tmp_path) == pytest.approx(first_loss_of(job.path), abs=1e-5)


@pytest.mark.parametrize("name", ["slake", pytest.param("iuxray", marks=pytest.mark.long)])
def test_rows_without_their_images_on_drawn_ones(released: Path, tmp_path: Path, name: str) -> None:
    file = released / f"mmedpo/{name}_dpo_weighted.json"
    job = ImportJob((file,), FORM, stand_ins(file, tmp_path / "drawn"), tmp_path / "pairs.parquet")
    check(name, imported(job, gold_of(released, name, tmp_path)), job.path)
    assert one_step(job.path, tmp_path) == pytest.approx(first_loss_of(job.path), abs=1e-5)
