"""Who does pieces of work; `EXECUTORS` is the table to add one to. The journal keeps what was done."""

from __future__ import annotations

from clincot.executors.base import Executor
from clincot.recipe.choices import choose

EXECUTORS = {"local": "clincot.executors.local:Local", "ray": "clincot.executors.ray:Ray"}


def load(name: str, workers: int = 0, *, threads: int = 1) -> Executor:
    """Return the executor `name`; raises ClincotError where it is not known.

    Args:
        name: of the table, `module:Class` or `./file.py:Class`.
        workers: processes at most; 0: this process with `local`, all that the cluster has room for with `ray`.
        threads: CPU threads that each process takes, for executors that share a machine out.
    """
    return choose(EXECUTORS, name, "--executor")(workers, threads=threads)  # type: ignore[no-any-return]
