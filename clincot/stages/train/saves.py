"""A trainer's folder -> its newest complete save; a write that finds no room -> an error that says so."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datasets.exceptions import DatasetGenerationError
from safetensors import SafetensorError

from clincot.errors import DiskFull

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# torch and safetensors write from C++ and Rust and hand the reason on as text alone.
PHRASES = ("no space left", "file too large", "quota exceeded", "file write failed", "failed writing file")


def last_save(folder: Path, processes: int = 1) -> str | None:
    """Return the newest complete save: rank 0 writes trainer_state.json last, each process its random state."""
    states = [] if processes == 1 else [f"rng_state_{rank}.pth" for rank in range(processes)]
    for path in sorted(folder.glob("checkpoint-*"), key=lambda p: -int(p.name.split("-")[1])):
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(path)  # killed while it was written
            continue
        if all((path / name).is_file() for name in states):
            return str(path)
        shutil.rmtree(path)
    return None


@contextmanager
def saving(folder: Path) -> Iterator[None]:
    """Raise DiskFull instead of what a library says when it cannot write; other errors pass."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError, DatasetGenerationError) as error:
        if not is_full(error):
            raise
        raise DiskFull(
            f"{folder}: no room left for the trainer's files ({error.__cause__ or error}). The last complete save"
            " stays: free space and run the same command again."
        ) from error


def is_full(error: BaseException) -> bool:
    """Return whether a disk, a quota or a file size is exhausted, also as the cause of another error."""
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    behind = error.__cause__ or error.__context__
    return any(words in str(error).lower() for words in PHRASES) or (behind is not None and is_full(behind))
