"""Command-line words -> the finished process, as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from warm import Program, nursery

# A few images and short look-aheads: every part runs, for seconds.
SMALL = (
    "--set=build.max_images=4",
    "--set=build.max_questions=3",
    "--set=build.shard_images=1",
    "--set=method.candidates=3",
    "--set=method.lookahead.samples=1",
    "--set=method.min_gap=0.001",
    "--set=train.dpo.num_train_epochs=1",
    "--set=evaluate.max_images=4",
    "--set=evaluate.resamples=100",
)


def environment() -> dict[str, str]:
    """The tests' environment for the command; PYTHONPATH may name packages of a test's own."""
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def start(*words: str, cwd: Path, **options: object) -> subprocess.Popen[str]:
    """Start `clincot WORDS` in `cwd`, from nothing: for tests that look at it while it runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "clincot", *words],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def fresh(*words: str, cwd: Path, timeout: float = 280) -> tuple[str, str]:
    """Run `clincot WORDS` from nothing to its end, for tests of what the imports say; returns as `clincot` does."""
    process = start(*words, cwd=cwd)
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, f"exit {process.returncode}\n{out}\n{err}"
    return out, err


def clincot(*words: str, cwd: Path, code: int = 0, timeout: float = 280) -> tuple[str, str]:
    """Run `clincot WORDS` to its end, expect exit code `code`, return what it wrote on stdout and stderr."""
    done = nursery().run(Program(("clincot", *words), str(cwd), environment()), timeout)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def script(text: str, cwd: Path, env: dict[str, str]) -> str:
    """Run a plain Python script with the variables that `clincot hub env` printed."""
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=cwd, env=os.environ | env, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
