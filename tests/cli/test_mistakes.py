"""What users get wrong: exit code 2, one line, nothing written, and no heavy library imported to find it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mistakes import TABLE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the whole table in one fresh interpreter and folder."""
    folder = tmp_path_factory.mktemp("mistakes")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("mistakes.py"))],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("number", range(len(TABLE)), ids=[" ".join(words)[:60] for words, _ in TABLE])
def test_a_mistake_is_one_line_and_exit_code_2_and_writes_nothing(number: int, ends: dict[str, Any]) -> None:
    end, (_, says) = ends["cases"][number], TABLE[number]
    assert says in end["err"] and end["code"] == 2, end
    lines = end["err"].splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and len(lines[0]) < 600 and not end["out"]
    assert end["written"] == ends["before"]


def test_mistakes_are_found_without_heavy_libraries(ends: dict[str, Any]) -> None:
    assert len(TABLE) >= 80 and ends["heavy"] == []
