"""An embedded Hub with a small phantom, and a run of two rounds on it, shared by the tests of the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from command import SMALL, clincot, fresh


@pytest.fixture(scope="session")
def small_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw 16 + 2 + 6 phantoms onto an embedded Hub and return its folder."""
    folder = tmp_path_factory.mktemp("hub")
    sizes = ("--train", "16", "--validation", "2", "--test", "6")
    clincot("phantom", "draw", "drawn", *sizes, "--push", "--hub", f"local:{folder / 'hub'}", cwd=folder)
    return folder / "hub"


@pytest.fixture(scope="session")
def finished_run(small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Run two rounds and the evaluation, pushed; return the folder and what was said on stdout and stderr."""
    folder = tmp_path_factory.mktemp("run")
    out, err = fresh("run", "--push", "--name", "loop", "--hub", f"local:{small_hub}", *SMALL, cwd=folder)
    return folder, out, err
