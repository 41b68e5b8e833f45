"""`.eval_results`: what the Hub's own client reads back from the file, with the protocol in every entry."""

from __future__ import annotations

import yaml
from huggingface_hub import EvalResultEntry

from clincot.hub.eval_results import eval_results, path_of
from clincot.records.lineage import Pin

ROW = {
    "policy": "round-2",
    "inference": "region",
    "metric": "closed_accuracy",
    "protocol": "clincot-v1",
    "value": 0.5,
    "low": 0.25,
    "high": 0.75,
    "n": 12,
}


def test_an_entry_names_dataset_commit_task_protocol_count_and_interval() -> None:
    pin = Pin("dataset", "BoKelvin/SLAKE", "main", "a" * 40)
    (entry,) = yaml.safe_load(eval_results([ROW], pin, "test"))
    assert entry["dataset"] == {
        "id": "BoKelvin/SLAKE",
        "task_id": "test/clincot-v1/closed_accuracy",
        "revision": "a" * 40,
    }
    assert entry["value"] == 0.5
    for part in ("round-2", "region inference", "n 12", "0.2500 to 0.7500"):
        assert part in entry["notes"]
    assert path_of("slake") == ".eval_results/slake.yaml"
    assert EvalResultEntry(entry["dataset"]["id"], entry["dataset"]["task_id"], entry["value"]).value == 0.5


def test_an_entry_says_when_a_control_is_as_good() -> None:
    pin = Pin("dataset", "BoKelvin/SLAKE", "main", "a" * 40)
    plain, marked = yaml.safe_load(eval_results([ROW, ROW | {"mark": "°"}], pin, "test"))
    assert marked["notes"] == f"{plain['notes']}, not shown to be above every control"


def test_an_entry_of_a_cut_that_the_repository_does_not_have_says_so() -> None:
    pin = Pin("dataset", "flaviagiammarino/vqa-rad", "main", "a" * 40)
    (entry,) = yaml.safe_load(eval_results([ROW], pin, "vqa-rad-by-image-test", "cut by image"))
    assert entry["dataset"]["task_id"].startswith("vqa-rad-by-image-test/")
    assert entry["notes"].endswith("; cut by image")
