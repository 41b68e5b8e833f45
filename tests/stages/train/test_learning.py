"""The learning study runs as a whole: a small one, from drawing to its tables, and again from what it left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def study(folder: Path) -> tuple[str, float]:
    sizes = ["--train", "8", "--validation", "2", "--test", "4"]
    command = [sys.executable, str(ROOT / "perf" / "learning.py"), str(folder), "--quick", "--seeds", "0", *sizes]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--rows", "rounds 1..2", "shuffled", "within_region, per_side"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, time.monotonic() - began


@pytest.mark.long
def test_the_study_writes_its_tables_and_makes_nothing_twice(tmp_path):
    first, _ = study(tmp_path)
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    again, _ = study(tmp_path)
    tables = first[first.index("### Values") :]
    assert tables == again[again.index("### Values") :]
    assert made == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    for row in (
        "| base |",
        "| margin DPO, rounds 1..2 |",
        "| shuffled preferences, union |",
        "| within_region, per_side |",
    ):
        assert tables.count(row) >= 1
    assert (tmp_path / "test.md").read_text(encoding="utf-8") in first
