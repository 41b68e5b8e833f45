"""What an engine has done so far, as plain counts, and the one reaction to a full memory: halve the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from clincot.errors import ModelError

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Counters:
    """`prefill_tokens`: prompt tokens run through the language model; `memory_splits`: batches halved for memory."""

    generated_texts: int = 0
    scored_choices: int = 0
    prefill_tokens: int = 0
    decoded_tokens: int = 0
    vision_encodes: int = 0
    memory_splits: int = 0


def in_halves(entries: Sequence[T], run: Callable[[Sequence[T]], list[R]], counters: Counters) -> list[R]:
    """Run all `entries` at once; where memory does not suffice, run both halves, each in the same way.

    Raises ModelError when a single entry does not fit.
    """
    try:
        return run(entries)
    except RuntimeError as error:  # torch.OutOfMemoryError is one; the CPU allocator raises a bare one
        if not _is_memory(error):
            raise
        if len(entries) == 1:
            advice = "Use a smaller model, dtype bfloat16 or fewer image tokens"
            raise ModelError(f"engine: out of memory with a batch of one. {advice}.") from error
    # Outside the handler: the traceback would keep the failed batch's tensors alive.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    counters.memory_splits += 1
    middle = len(entries) // 2
    return in_halves(entries[:middle], run, counters) + in_halves(entries[middle:], run, counters)


def _is_memory(error: RuntimeError) -> bool:
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in text or "can't allocate memory" in text
