"""`clincot pair`: a finished round's pairs drawn again, pushed, and trained on."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot


@pytest.fixture(scope="module")
def copied(finished_run: tuple[Path, str, str], small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the finished run and its Hub: drawing again adds versions to both."""
    folder = tmp_path_factory.mktemp("pair")
    shutil.copytree(finished_run[0] / "runs", folder / "runs")
    shutil.copytree(small_hub, folder / "hub")
    return folder


def words(*more: str) -> tuple[str, ...]:
    return ("pair", "--name", "loop", "--hub", "local:hub", *SMALL, *more)


@pytest.mark.long
def test_a_pushed_round_is_drawn_again_pushed_and_trained_on(copied: Path) -> None:
    changed = "--set=build.judging.consensus=min"
    _, err = clincot(*words("--round", "2", changed, "--push"), cwd=copied)
    assert "(round-2-v2) made" in err and "pushed as" in err
    assert "Next: clincot train --round 2 --new-version" in err  # round-2 of the adapter exists
    scores = {}
    for row in pq.read_table(copied / "runs/loop/round-2/build/merged/candidates.parquet").to_pylist():
        scores[row["id"]] = min((s["total"] for s in row["judge_scores"] if s["total"] is not None), default=None)
    drawn = _pairs(copied, "round-2-v2/pair")
    assert drawn and all(row["chosen_score"] == pytest.approx(scores[row["chosen_candidate"]]) for row in drawn)
    # The sides carry crops cut again from the benchmark's images, by the box of each side's region.
    stored = {s["path"]: s["bytes"] for r in _pairs(copied, "round-2/build") for s in r["side_images"]}
    again = {s["path"]: s["bytes"] for r in _pairs(copied, "round-2-v2/pair") for s in r["side_images"]}
    assert again and all(stored.get(path, data) == data for path, data in again.items())
    _, err = clincot("build-data", "--round", "2", *words(changed)[1:], cwd=copied)
    assert "(round-2-v2) exists already" in err
    _, err = clincot("build-data", "--round", "2", *words()[1:], cwd=copied, code=2)
    assert (
        "  build.judging.consensus: min -> agreement" in err
        and "`clincot pair --round 2 --name loop`" in err
        and "Traceback" not in err
    )
    _, err = clincot("train", "--round", "2", "--new-version", *words(changed)[1:], cwd=copied)
    assert "(round-2-v2) made" in err


def test_elsewhere_the_pushed_round_suffices(copied: Path, tmp_path: Path) -> None:
    shutil.copytree(copied / "hub", tmp_path / "hub")
    _, err = clincot(*words("--round", "1", "--set=method.pairs_per_step=1"), cwd=tmp_path)
    tag = re.search(r"\((round-1-v\d+)\) made", err)
    assert tag  # after every version that was pushed
    drawn = pq.read_table(tmp_path / f"runs/loop/{tag[1]}/pair/merged/pairs.parquet").to_pylist()
    groups = [row["group"] for row in drawn]
    assert groups and len(groups) == len(set(groups))  # one pair a step


def test_what_needs_a_model_is_refused_with_the_difference(copied: Path) -> None:
    _, err = clincot(*words("--round", "1", "--set=method.temperature=0.9"), cwd=copied, code=2)
    assert "method.temperature: 0.7 -> 0.9" in err and "--new-version" in err and "Traceback" not in err


def test_a_veto_file_of_another_round_is_refused_by_name(copied: Path, tmp_path: Path) -> None:
    other = _pairs(copied, "round-2/build")[0]["id"]
    (tmp_path / "veto.json").write_text(json.dumps({"format": "clincot-veto-1", "pairs": [{"id": other}]}))
    _, err = clincot(*words("--round", "1", "--exclude", str(tmp_path / "veto.json")), cwd=copied, code=2)
    assert f"({other} is of round 2)" in err and "Traceback" not in err


def _pairs(folder: Path, work: str) -> list[dict]:  # type: ignore[type-arg]
    return pq.read_table(folder / f"runs/loop/{work}/merged/pairs.parquet").to_pylist()
