"""What `--help`, `--version` and the shell's completion know, without anything heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clincot import __version__
from clincot.benchmarks import BENCHMARKS
from clincot.cli import app
from clincot.engines import ENGINES
from clincot.judges import JUDGES
from clincot.protocols import PROTOCOLS
from clincot.recipe import recipes_folder
from clincot.regions import PROPOSERS

ROOT = Path(__file__).parents[2]
RECIPES = {path.stem for path in recipes_folder().glob("*.yaml")}
SETTINGS = {path.stem for path in (recipes_folder() / "settings").glob("*.yaml")}


def test_help_lists_every_choice() -> None:
    said = "".join(CliRunner().invoke(app, ["evaluate", "--help"]).output.split())  # lines are folded at hyphens
    for name in (*RECIPES, *SETTINGS, *BENCHMARKS, *PROTOCOLS, *ENGINES, *JUDGES, *PROPOSERS):
        assert f"{name}," in said or f"{name}." in said, name


def test_the_version_says_what_a_bug_report_needs_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, runpy; sys.argv = ['clincot', '--version']\n"
        "try: runpy.run_module('clincot', run_name='__main__')\n"
        "except SystemExit: print([m for m in ('torch', 'transformers', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    said = done.stdout.splitlines()
    assert said[0] == f"clincot {__version__}" and said[1].startswith("Python 3.") and said[-1] == "[]"
    for name in ("torch", "transformers", "trl", "peft", "datasets", "huggingface_hub"):
        assert f"{name} {version(name)}" in said


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("clincot build-data --recipe clincot-no-l", {"clincot-no-lookahead"}),
        ("clincot train --setting ", SETTINGS),
        ("clincot run --benchmark vqa", {"vqa-rad", "vqa-rad-by-image"}),
        ("clincot evaluate --protocol paper", {"paper-v1", "paper-v2"}),
    ],
)
def test_the_shell_completes_names(typed: str, offered: set[str]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1), "_CLINCOT_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-m", "clincot"],
        env=os.environ | words | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert set(done.stdout.split()) == offered, done.stderr
