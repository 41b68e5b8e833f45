"""A batch that does not fit into memory -> its halves, counted and reported once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from clincot.errors import ModelError
from clincot.lm.requests import Counters

T = TypeVar("T")
R = TypeVar("R")
logger = logging.getLogger("clincot.lm")  # unconfigured, its warnings are plain lines on stderr


def in_halves(
    entries: Sequence[T],
    run: Callable[[Sequence[T]], list[R]],
    counters: Counters,
    spare: Callable[[], None] | None = None,
) -> list[R]:
    """Run all `entries` at once; where memory does not suffice, `spare` some, then run both halves in the same way.

    The first split of an engine is a warning on stderr, `counters.memory_splits` counts them.
    Raises ModelError when a single entry does not fit.
    """
    try:
        return run(entries)
    except RuntimeError as error:  # torch.OutOfMemoryError is one; the CPU allocator raises a bare one
        if not _is_memory(error):
            raise
        if len(entries) == 1 and spare is None:
            advice = "Use a smaller model, dtype bfloat16 or fewer image tokens"
            raise ModelError(f"engine: out of memory with a batch of one. {advice}.") from error
    # Outside the handler: the traceback would keep the failed batch's tensors alive.
    if not counters.memory_splits:
        logger.warning(
            "engine: memory does not hold a batch of %d. It goes on with less; a lower batch_size saves the attempts.",
            len(entries),
        )
    counters.memory_splits += 1
    if spare is not None:
        spare()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if len(entries) == 1:
        return in_halves(entries, run, counters)
    middle = len(entries) // 2
    return in_halves(entries[:middle], run, counters) + in_halves(entries[middle:], run, counters)


def _is_memory(error: RuntimeError) -> bool:
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in text or "can't allocate memory" in text
