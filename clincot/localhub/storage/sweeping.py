"""A Hub folder when a server starts -> the same without what killed writers left: temporary files and git's locks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from .durable import exclusive
from .facts import FILE
from .staging import STALE_LOCK_SECONDS

LEFTOVER_SECONDS = 24 * 3600
LOCK = "hub.lock"


def sweep_temporary(leftovers: Iterable[Path]) -> None:
    """Remove old uploads and half-made repos; younger ones may belong to a server over the same folder."""
    for leftover in leftovers:
        try:
            if time.time() - leftover.stat().st_mtime < LEFTOVER_SECONDS:
                continue
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        except FileNotFoundError:  # its owner, or another starting server, was faster
            continue


def sweep_repos(repos: Path) -> None:
    """Remove the lock and temporary files of writers that died, from every repo below `repos`."""
    for lock in (*repos.glob(f"*/*.git/{LOCK}"), *repos.glob(f"*/*/*.git/{LOCK}")):
        if any(True for _ in _left_behind(lock.parent)):
            _sweep_repo(lock)


def _sweep_repo(lock: Path) -> None:
    """Under the repo's kernel lock no living writer of ours owns such a file; plain git may, for a moment."""
    with suppress(FileNotFoundError, PermissionError), exclusive(lock):  # a read-only copy is served as it is
        for leftover in _left_behind(lock.parent):
            with suppress(FileNotFoundError):
                if time.time() - leftover.stat().st_mtime > STALE_LOCK_SECONDS:
                    leftover.unlink()


def _left_behind(repo: Path) -> Iterator[Path]:
    yield from repo.glob(f".{FILE}.*")
    yield from (path for path in repo.glob("*.lock") if path.name != LOCK)
    yield from repo.glob("refs/**/*.lock")
    yield from repo.glob("objects/*/*.lock")
