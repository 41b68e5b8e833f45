"""The study on the phantom's version 2 runs as a whole: a tiny one, from drawing to its page, and on from there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
POLICY = ROOT / "clincot" / "phantom" / "models" / "v2" / "policy"
# One row of every way: untrained, offsets, gold, two rounds, rated again, other scores, other pairs, other crops.
ROWS = (
    "base + regions",
    "calibrated",
    "gold SFT",
    "ClinCoT, rounds",
    "judges: the first, sampled twice",
    "judges: the critic",
    "judges: truth of the region",
    "crops at low pass",
    "base + right regions at low pass",
)


def study(folder: Path, *more: str) -> str:
    script = str(ROOT / "perf" / "learning.py")
    done = subprocess.run(
        [sys.executable, script, str(folder), "--quick", "--seeds", "0", "--policies", str(POLICY), *more],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.long
def test_the_study_makes_every_kind_of_row_once_and_writes_its_page(tmp_path):
    first = study(tmp_path, "--rows", *ROWS, "--minutes", "0")
    assert "stopped after" in first and not (tmp_path / "results").is_dir()
    study(tmp_path, "--rows", *ROWS)
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").rglob("*.json")}
    assert len(made) >= len(ROWS) and all(path.stat().st_size <= 20_000 for path in made)
    assert "every result is there" in study(tmp_path, "--rows", *ROWS)
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "results").rglob("*.json")}
    study(tmp_path, "--report")
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    for row in ("base + regions", "calibrated base", "ClinCoT, rounds 1..R", "judges: the critic"):
        assert f"| {row} | 1 |" in page
    assert "*judges: truth of the region (oracle), an upper bound*" in page
    assert "| gold SFT, token-matched | multi-region answers, balanced |" in page
    assert list(tmp_path.glob("page-policy-*.svg"))
