"""Toy work that other processes can import: pieces that write files, that fail and that kill their process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from clincot.errors import DataError

Worker = Callable[[tuple[int, ...]], int]


def squares(
    folder: Path, dies: tuple[int, ...] = (), once: bool = True, fails: tuple[int, ...] = (), pause: float = 0.0
) -> Worker:
    """Return work that notes in `folder` which process did what; pieces in `dies` kill it (`once`: the first time)."""
    (folder / f"opened-{os.getpid()}").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", ""), encoding="utf-8")
    return partial(_square, folder, dies, once, fails, pause)


def _square(
    folder: Path, dies: tuple[int, ...], once: bool, fails: tuple[int, ...], pause: float, pieces: tuple[int, ...]
) -> int:
    (piece,) = pieces
    time.sleep(pause)
    if piece in fails:
        raise DataError(f"piece {piece}: is bad. Correct it.")
    if piece in dies:
        mark = folder / f"died-{piece}-{len(list(folder.glob(f'died-{piece}-*')))}"
        if not once or mark.name.endswith("-0"):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    (folder / f"did-{piece}-{os.getpid()}").touch()
    return piece * piece
