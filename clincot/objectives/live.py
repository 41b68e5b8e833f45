"""A trainer's steps -> one live line: steps done and left, elements and tokens a second, the most memory used."""

from __future__ import annotations

import resource
import sys
import time
from contextlib import ExitStack
from typing import Any

import torch
from transformers import TrainerCallback

from clincot.progress import bar


class Live(TrainerCallback):
    """Shows the progress of `trainer` from rank 0; `unit` is what its batches are counted in."""

    def __init__(self, description: str, stack: ExitStack, trainer: Any, unit: str = "pairs") -> None:
        self.description, self.stack, self.trainer, self.unit = description, stack, trainer, unit
        self.advance: Any = None
        self.started, self.first_step, self.first_tokens = 0.0, 0, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            shown = bar(self.description, state.max_steps, "steps", done=state.global_step)
            self.advance = self.stack.enter_context(shown)
            self.started, self.first_step = time.monotonic(), state.global_step
            self.first_tokens = self.trainer._total_train_tokens

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.advance:
            self.advance(1, self.note(args, state))

    def note(self, args: Any, state: Any) -> str:
        """Return the rates since training began or went on; padding does not count as tokens."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        batch = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
        done = (state.global_step - self.first_step) * batch
        tokens = self.trainer._total_train_tokens - self.first_tokens
        return f"{done / seconds:.3g} {self.unit}/s, {tokens / seconds:,.0f} tokens/s, {most_memory() / 1e9:.1f} GB"


class OneLog(TrainerCallback):
    """Logs the last step where none was logged: the card and the curve are made from the logs."""

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step >= state.max_steps and not any("loss" in entry for entry in state.log_history):
            control.should_log = True


def most_memory() -> int:
    """Return the most bytes this process has held: of GPU memory where there is a GPU, else of the machine's."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kept if sys.platform == "darwin" else kept * 1024
