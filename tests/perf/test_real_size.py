"""perf/real_size.py at a small size on the CPU: the plain step does stock TRL's work, ours equals it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "perf" / "real_size.py"


def run(*words: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, timeout=280)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
def test_with_trl_every_row_is_measured_and_equal() -> None:
    code, said = run("--tiny", "--repeats", "1")
    assert code == 0, said
    assert re.search(r"torch \d.*transformers \d.*peft \d.*trl \d", said)
    for row in ("stock TRL", "plain two-row step", "pair", "shared", "group"):
        assert re.search(rf"^\| {row} \| [\d.e+]+ \|", said, re.M), row
    first = re.search(r"^\| stock TRL \|.*\| (\S+) \| (\S+) \|$", said, re.M)
    assert first and max(map(float, first.groups())) < 1e-5


@pytest.mark.long
def test_without_trl_ours_is_a_plain_loop_and_is_called_so() -> None:
    code, said = run("--tiny", "--repeats", "1", "--without-trl")
    assert code == 0, said
    assert "ours is a plain loop in the layouts of clincot" in said and "trl" not in said.splitlines()[0]
    assert "stock TRL" not in said and "| shared |" in said
