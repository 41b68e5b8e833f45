"""What the libraries say about themselves -> not on the user's terminal, unless it is asked for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import SMALL, fresh

from clincot.localhub import LocalHub

# A path of a library, a Python warning, a tqdm bar, or a note that transformers signs.
FOREIGN = re.compile(r"site-packages|Warning\b|\d%\||it/s|B/s\]|^\[\w+\] |Fetching|Loading weights|Generating|Map:")
WARN = """
import warnings
from clincot.cli.chatter import hush
hush()
from clincot.objectives.layout import RowsWarning
warnings.simplefilter("default")  # as libraries do
warnings.warn("a name will change", FutureWarning)
warnings.warn("two rows a pair", RowsWarning)
warnings.warn("CUDA initialization: the driver is too old")
"""


def foreign(err: str) -> list[str]:
    return [line for line in err.splitlines() if FOREIGN.search(line)]


def test_a_run_says_only_its_own_lines(finished_run: tuple[Path, str, str]) -> None:
    _, _, err = finished_run
    assert foreign(err) == [] and "train round 1: 2 of 2 steps done" in err


@pytest.mark.long
def test_copies_from_and_to_a_hub_say_only_their_own_lines(small_hub: Path, tmp_path: Path) -> None:
    with LocalHub(small_hub) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", server.token)
        patch.delenv("HF_HUB_DISABLE_PROGRESS_BARS", raising=False)  # the tests' own setting
        words = ("hub", "import", "clincot/phantom", "--from", server.endpoint, "--hub")
        _, err = fresh(*words, "local:copy", cwd=tmp_path)
        assert foreign(err) == [] and "imported dataset clincot/phantom@" in err
        _, shown = fresh(*words, "local:debugged", "--debug", cwd=tmp_path)
        assert foreign(shown)
        patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "0")
        _, shown = fresh(*words, "local:wished", cwd=tmp_path)
        assert foreign(shown)
    _, err = fresh("hub", "export", "clincot/phantom@main", "out", "--hub", "local:copy", cwd=tmp_path)
    assert foreign(err) == [] and "wrote " in err


@pytest.mark.long
def test_a_merged_model_is_written_without_notes(
    finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    folder, _, _ = finished_run
    words = ("export", str(tmp_path / "merged"), "--merged", "--name", "loop", "--hub", f"local:{small_hub}", *SMALL)
    _, err = fresh(*words, cwd=folder)
    assert foreign(err) == [] and "its logits differ from base + adapter by" in err


@pytest.mark.parametrize("asked", [False, True])
def test_own_warnings_are_plain_lines_and_others_are_dropped_unless_python_is_asked(asked: bool) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    env |= {"PYTHONWARNINGS": "default"} if asked else {}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", WARN], env=env, cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    if asked:
        assert "FutureWarning: a name will change" in done.stderr
    else:
        own = ["warning: two rows a pair", "warning: CUDA initialization: the driver is too old"]
        assert done.stderr.splitlines() == own
