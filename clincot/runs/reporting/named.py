"""A name or path that a user gave -> the name of an existing run, or an error that names the nearest one."""

from __future__ import annotations

from pathlib import Path

from clincot.errors import RoundError, did_you_mean


def name_of_run(asked: str, runs: Path) -> str:
    """Return the name of the run `asked`, a name or the path of its folder below `runs`. Raises RoundError."""
    found = sorted(path.parent.name for path in runs.glob("*/store") if path.is_dir())
    name = Path(asked).name if Path(asked).parent.resolve() == runs.resolve() else asked
    if name in found:
        return name
    where = f"{runs}/ here" if runs.is_dir() else f"{runs}/, which is not here,"
    if not found:
        raise RoundError(f"{asked}: {where} has no run. Start one, or change to the folder that has `{runs}/`.")
    raise RoundError(f"{asked}: {where} has no such run.{did_you_mean(asked, found)}")
