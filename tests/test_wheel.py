"""The wheel in an environment of its own: a round is built, trained and evaluated from what lies inside it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMALL = (
    "--set=rounds=1", "--set=build.max_images=4", "--set=build.max_questions=3", "--set=method.lookahead.samples=1",
    "--set=method.min_gap=0.001", "--set=train.dpo.num_train_epochs=1", "--set=evaluate.max_images=2",
    "--set=evaluate.resamples=100",
)  # fmt: skip


def run(*words: str | Path, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, words)], cwd=cwd, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.long
def test_the_wheel_runs_a_round_without_the_checkout(tmp_path: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("clincot-*.whl")
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env/bin/python"
    run(*pip, "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    site = next((tmp_path / "env/lib").glob("python*/site-packages"))
    # The dependencies of this environment, behind the wheel; its own clincot is not among them.
    added = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n"
    (site / "dependencies.pth").write_text(added, encoding="utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    where = run(python, "-c", "import clincot; print(clincot.__file__)", cwd=empty)
    assert where.startswith(str(site))
    said = run(python.with_name("clincot"), "run", "--name", "short", "--hub", "local:hub", *SMALL, cwd=empty)
    assert "round 1 - base" in said and "demo/short  round-1" in said
    assert {path.name for path in empty.iterdir()} == {"hub", "runs"}
