"""A worker script and how many processes -> a finished launch of them by torchrun, over gloo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

WEIGHTS = "adapter/adapter_model.safetensors"


def launch(
    processes: int,
    base: Path,
    rows: Path,
    folder: Path,
    die_at: int = -1,
    *,
    worker: str = "ddp_worker.py",
    parent: Path | None = None,
) -> None:
    """Train with batches of 4 rows in all; with `die_at` >= 0 the launch must fail, else it must not."""
    folder.mkdir(exist_ok=True)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    script = Path(__file__).parent / worker
    words = [str(script), str(base), str(rows), str(folder), str(4 // processes), str(die_at)]
    start = [] if processes == 1 else torchrun
    done = subprocess.run(
        [sys.executable, *start, *words, *([str(parent)] if parent else [])],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert (done.returncode == 0) == (die_at < 0), done.stderr[-4000:]
