"""The commands for Hugging Face Jobs, as docs/scale.md gives them, are parsed by `hf` and by clincot."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

from huggingface_hub.cli.jobs import uv_app
from typer.main import get_command

from clincot.cli import app
from clincot.recipe import recipes_folder

SCRIPT = recipes_folder() / "jobs" / "clincot_job.py"
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_both_parsers_read_the_commands_of_the_page() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("hf jobs uv run ")]
    stages = []
    for line in lines:
        read = uv_app.commands["run"].make_context("run", shlex.split(line)[4:]).params
        assert (read["script"], read["flavor"]) == ("recipes/jobs/clincot_job.py", "a100-large")
        assert read["secrets"] == ["HF_TOKEN"] and read["with_"]
        verb, *words = read["script_args"]
        said = get_command(app).commands[verb].make_context(verb, words).params  # type: ignore[attr-defined]
        assert (said["push"], said["round"], said["hardware"]) == (True, 1, "80gb")
        stages.append(verb)
    assert stages == ["build-data", "train"]


def test_the_script_is_one_that_uv_reads_and_runs_the_command(tmp_path: Path) -> None:
    block = re.search(r"^# /// script\n((?:#.*\n)+?)# ///$", SCRIPT.read_text(encoding="utf-8"), re.M)
    assert block and tomllib.loads(re.sub(r"^# ?", "", block[1], flags=re.M))["requires-python"] == ">=3.11"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "train", "--hardware", "none-such"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and "none-such" in done.stderr
