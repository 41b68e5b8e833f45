"""perf/judging.py on a small chain: equal scores and counted tokens; CPU time is not for a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.long
def test_all_ways_to_score_agree_and_sharing_reads_a_third_of_the_tokens() -> None:
    script = Path(__file__).parents[2] / "perf" / "judging.py"
    done = subprocess.run([sys.executable, str(script), "--quick"], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "scores equal" in done.stdout
