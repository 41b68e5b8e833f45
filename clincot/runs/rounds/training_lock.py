"""A run's training folder -> held by one command at a time; a second one is refused by naming the host and process."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from clincot.errors import RoundError

LOCK, HOLDER = "training.lock", "training.json"


@contextmanager
def training_lock(folder: Path, what: str) -> Iterator[None]:
    """Hold `folder` for the training of `what` until the block ends; the system frees it when the process dies.

    Raises RoundError when another process holds it. In a distributed job rank 0 alone takes it.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise RoundError(
            f"{what}: is being trained by {_holder(folder)}. Wait until it ends, or stop that process first;"
            " its saves are kept."
        ) from error
    try:
        holder = {"host": socket.gethostname(), "process": os.getpid(), "since": datetime.now(UTC).isoformat()}
        (folder / HOLDER).write_text(json.dumps(holder), encoding="utf-8")
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    try:
        holder = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f"process {holder['process']} on {holder['host']} since {holder['since'][:19]} UTC"
    except (OSError, ValueError, KeyError):
        return "another process"  # it has only just begun
