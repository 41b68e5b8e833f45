"""`clincot report`: the figures of the finished run hold the numbers of its rows; what is missing is named."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command import clincot

from tests.outline import Outline


@pytest.fixture(scope="module")
def report(finished_run: tuple[Path, str, str]) -> Path:
    folder = finished_run[0]
    out, _ = clincot("report", "loop", cwd=folder)
    again, _ = clincot("report", str(folder / "runs" / "loop"), cwd=folder)  # replaces it
    assert out == again == "runs/loop/report/index.html\n"
    return folder / "runs" / "loop" / "report"


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "figures" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def merged(folder: Path, part: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / f"build/merged/{part}.parquet").to_pylist()
    return found


def test_the_page_is_whole_and_loads_nothing(report: Path) -> None:
    page = (report / "index.html").read_text(encoding="utf-8")
    outline = Outline("meta", "link")
    outline.feed(page)
    assert outline.open == [] and "<script" not in page
    files = {f"figures/{path.name}" for path in (report / "figures").iterdir()}
    linked = {load for load in outline.loads if load.startswith("figures/")}
    assert linked == files and all(load.startswith(("figures/", "#", "data:")) for load in outline.loads)
    assert "What is missing" not in page and "Round 2 " in page


def test_results_are_those_of_the_evaluation(report: Path) -> None:
    stored = json.loads((report.parent / "round-2/results/results.json").read_text(encoding="utf-8"))
    whole = {
        (r["metric"], r["policy"], r["inference"], r["control"]): (r["value"], r["low"], r["high"], r["n"])
        for r in stored["results"]
        if r["protocol"] == stored["protocol"] and not r["by"]
    }
    shown = rows(report, "rounds")
    assert {row["policy"] for row in shown} == {"base", "round-1", "round-2", ""}
    for row in shown:
        key = (row["measure"], row["policy"], row["inference"], row["control"])
        assert (float(row["value"]), float(row["low"]), float(row["high"]), int(row["n"])) == whole[key]


def test_pairs_ratings_and_lineage_are_those_of_the_rounds(report: Path) -> None:
    run = report.parent
    for round_ in ("round-1", "round-2"):
        pairs, candidates = merged(run / round_, "pairs"), merged(run / round_, "candidates")
        margins = [row for row in rows(report, "margins") if row["round"] == round_]
        for row in margins[:-1]:
            low, high = float(row["from"]), float(row["to"])
            gaps = [pair["chosen_score"] - pair["rejected_score"] for pair in pairs]
            assert int(row["pairs"]) == sum(low <= gap < high for gap in gaps)
        words = Counter(len(pair["chosen"].split()) for pair in pairs)
        counted = [row for row in rows(report, "lengths") if (row["round"], row["side"]) == (round_, "chosen")]
        assert sum(int(row["pairs"]) for row in counted) == sum(words.values())
        rated = sum(len(row["judge_scores"]) == 2 for row in candidates)
        assert sum(int(row["texts"]) for row in rows(report, "judges") if row["round"] == round_) == rated
    edges = {(row["from"], row["to"], row["role"]) for row in rows(report, "lineage")}
    assert ("loop round-1", "loop-preferences round-2", "parent") in edges
    assert ("loop-preferences round-2", "loop round-2", "preferences") in edges


def test_another_folder_must_be_new(report: Path, tmp_path: Path) -> None:
    folder = report.parents[2]
    out, _ = clincot("report", "loop", "--out", str(tmp_path / "mine"), cwd=folder)
    assert out == f"{tmp_path}/mine/index.html\n"
    _, err = clincot("report", "loop", "--out", str(tmp_path / "mine"), cwd=folder, code=2)
    assert "is not empty" in err


def test_an_incomplete_run_says_what_is_missing_and_how_it_is_added(report: Path, tmp_path: Path) -> None:
    shutil.copytree(report.parent, tmp_path / "runs" / "part")
    for repo in ("datasets/demo/loop-results.git", "models/demo/loop.git"):
        shutil.rmtree(tmp_path / "runs/part/store/repos" / repo)
    (tmp_path / "runs/part").rename(tmp_path / "runs/loop")
    _, err = clincot("report", "loop", "--out", "mine", cwd=tmp_path)
    page = (tmp_path / "mine/index.html").read_text(encoding="utf-8")
    for said in ("round-1 has no adapter.", "round-2 has no adapter.", "base was not evaluated."):
        assert said in err
    assert "clincot train --round 1 --name loop" in page and "clincot evaluate --name loop" in page
    assert not (tmp_path / "mine/figures/rounds.png").exists() and (tmp_path / "mine/figures/margins.png").exists()


def test_an_unknown_run_is_refused_and_nothing_is_made(report: Path) -> None:
    folder = report.parents[2]
    _, err = clincot("report", "lop", cwd=folder, code=2)
    assert "lop: runs/ here has no such run. Did you mean 'loop'?" in err
    assert not (folder / "runs" / "lop").exists()
