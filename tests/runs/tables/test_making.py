"""Jobs of a table are made one after the other: what fails does not stop the rest."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clincot.errors import DiskFull, RoundError
from clincot.runs.tables.plan import Asked, plan
from clincot.runs.tables.table import Begun, make


def made(tmp_path: Path, error: Exception) -> tuple[list[str], dict[str, str]]:
    """Return the jobs that were made, and those that failed, where the second one raises `error`."""
    planned, tried = plan(Asked(1, ("base",), 1, ("base", "dpo", "sima"))), list[str]()

    def attempt(job: Any) -> Any:
        tried.append(job.name)
        if len(tried) == 2:
            raise error
        return SimpleNamespace(name=job.name)

    workshop: Any = SimpleNamespace(make=attempt)
    begun = Begun(workshop, planned.jobs, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clincot.runs.tables.stored.write", lambda *_: "file")
        names = [one.name for one in make(planned, begun, tmp_path, lambda _: None)]
    assert begun.reasons == {"dpo": begun.failed["dpo-base-s0"]}
    return names, begun.failed


def test_a_job_without_pairs_is_said_and_the_next_one_is_made(tmp_path: Path) -> None:
    names, failed = made(tmp_path, RoundError("no pair came out"))
    assert names == ["base-s0", "sima-base-s0"] and failed == {"dpo-base-s0": "no pair came out"}


def test_a_full_disk_ends_the_table(tmp_path: Path) -> None:
    with pytest.raises(DiskFull):
        made(tmp_path, DiskFull("no room"))
