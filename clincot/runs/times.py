"""A stage that did work -> how long it took, as a line of a file in the run's folder; no release holds times."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from clincot.errors import DataError
from clincot.runs.releases import Release
from clincot.runs.run import Run

FILE = "times.jsonl"
P = ParamSpec("P")
R = TypeVar("R")


def timed(stage: Callable[Concatenate[Run, P], R]) -> Callable[Concatenate[Run, P], R]:
    """Return the function of a stage that also records its time where it did work; it returns a release, or has one."""

    @wraps(stage)
    def measured(run: Run, *args: P.args, **kwargs: P.kwargs) -> R:
        started = time.monotonic()
        done = stage(run, *args, **kwargs)
        release: Release = getattr(done, "release", done)  # type: ignore[arg-type]
        if release.fresh:
            _append(run.folder / FILE, release, time.monotonic() - started)
        return done

    return measured


def read_times(folder: Path) -> dict[tuple[str, str], float]:
    """Return (stage, tag) -> seconds of the stages that did work in this folder. Raises DataError."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return {(line["stage"], line["tag"]): float(line["seconds"]) for line in lines}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: cannot be read ({error}). Delete it; the times of the stages are then unknown."
        ) from error


def _append(path: Path, release: Release, seconds: float) -> None:
    line = json.dumps({"stage": release.lineage.stage, "tag": release.tag, "seconds": round(seconds, 1)})
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
