"""`clincot compare`, and what an evaluation leaves on the Hub: page, model-index and `.eval_results` of its rounds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from command import SMALL, clincot
from huggingface_hub import HfApi, ModelCard, hf_hub_download

from clincot.hub import connect

Finished = tuple[Path, str, str]


def compare(finished: Finished, hub: Path, *words: str, code: int = 0) -> tuple[str, str]:
    return clincot("compare", *words, "--name", "loop", "--hub", f"local:{hub}", *SMALL, cwd=finished[0], code=code)


def test_two_rows_stand_side_by_side_with_their_paired_difference(finished_run: Finished, small_hub: Path) -> None:
    out, err = compare(finished_run, small_hub, "base", "round-2/direct", "--protocol", "all", "--show", "3")
    assert re.search(r"A +demo/loop-results@\w+ base · region", out)
    assert re.search(r"B +demo/loop-results@\w+ round-2 · direct", out)
    assert "protocol llava-med-v1" in out and "protocol clincot-v2" in out
    assert re.search(r"closed accuracy .*\d+\.\d \[.*[+-]\d+\.\d \[", out)
    assert re.search(r"\d+ answers differ", out)
    assert out.count("  gold: ") <= 3
    assert "Traceback" not in err


@pytest.mark.long
def test_a_row_does_not_differ_from_itself_and_one_repository_can_be_named(
    finished_run: Finished, small_hub: Path
) -> None:
    out, _ = compare(finished_run, small_hub, "round-1", "demo/loop-results@round-2:round-1/region")
    assert "\n0 answers differ." in out
    differences = re.findall(r"([+-]\d+\.\d) \[", out)
    assert differences and set(differences) == {"+0.0"}
    out, _ = compare(finished_run, small_hub, "round-1/region/black_image", "question_prior", "--show", "0")
    assert "black image" in out and "question prior" in out


def test_what_cannot_be_compared_is_named(finished_run: Finished, small_hub: Path) -> None:
    _, err = compare(finished_run, small_hub, "base", "round-9", code=2)
    assert "these results have no such row" in err and "round-1" in err
    _, err = compare(finished_run, small_hub, "base", "demo/loop-preferences@round-1", code=2)
    assert "holds no results" in err


def test_the_adapter_shows_its_results_on_main_and_its_tags_stay(finished_run: Finished, small_hub: Path) -> None:
    with connect(f"local:{small_hub}") as hub:
        api = HfApi(endpoint=hub.endpoint, token=hub.token)
        where = {"endpoint": hub.endpoint, "token": hub.token, "cache_dir": finished_run[0] / "cache"}
        entries = yaml.safe_load(Path(hf_hub_download("demo/loop", ".eval_results/phantom.yaml", **where)).read_text())
        card = ModelCard(Path(hf_hub_download("demo/loop", "README.md", **where)).read_text()).data
        tagged = api.list_repo_files("demo/loop", revision="round-2")
        page = Path(hf_hub_download("demo/loop-results", "round-2/results.html", repo_type="dataset", **where))
        stored = Path(hf_hub_download("demo/loop-results", "round-2/results.json", repo_type="dataset", **where))
        text, results = page.read_text(), json.loads(stored.read_text())
    assert {e["dataset"]["id"] for e in entries} == {"clincot/phantom"}
    assert all(len(e["dataset"]["revision"]) == 40 and 0 <= e["value"] <= 1 for e in entries)
    assert "test/clincot-v2/closed_accuracy" in {e["dataset"]["task_id"] for e in entries}
    assert all(e["notes"].startswith(("round-1, ", "round-2, ")) for e in entries)
    assert not [path for path in tagged if path.startswith(".eval_results")]
    assert any("clincot-v2" in str(r.metric_name) for r in card.eval_results)
    assert any("paper-v2" in str(r.metric_name) for r in card.eval_results)
    assert text.startswith("<!doctype html>") and "shuffled images" in text and "http" not in text.split("</style>")[1]
    # The phantom's train and test images are drawn apart.
    assert {name: known["images"] for name, known in results["contamination"].items()} == {
        "base": 0,
        "round-1": 0,
        "round-2": 0,
    }


def test_a_second_protocol_costs_no_generation_and_its_table_says_how_it_was_asked(
    finished_run: Finished, small_hub: Path
) -> None:
    words = ("--name", "loop", "--hub", f"local:{small_hub}", *SMALL, "--protocol", "lmms-eval-v2")
    out, err = clincot("evaluate", *words, cwd=finished_run[0])
    assert "protocol lmms-eval-v2 (scored under; asked as clincot-v2)" in out
    assert "exists already" in err and "loading" not in err.lower()
