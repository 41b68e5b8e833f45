"""A loss or a gradient that is no number -> an error that names the rows, before a step or a save is spoilt by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback

from clincot.errors import ModelError


def check_loss(loss: Tensor, step: int, rows: Sequence[str], setting: str) -> None:
    """Raise ModelError when `loss` is no number; `setting` is the recipe's value that is likeliest too large."""
    if not torch.isfinite(loss):
        _stop(f"the loss is {float(loss.detach())}", step, rows, setting)


class FiniteGradients(TrainerCallback):
    """Stops before weights take a step along a gradient that is no number: a save after it would be worthless.

    Reads and empties the trainer's `rows_read`, the ids of the rows since the step before.
    """

    def __init__(self, trainer: Any, setting: str) -> None:
        self.trainer, self.setting = trainer, setting

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        rows, self.trainer.rows_read = self.trainer.rows_read, []
        found = [p.grad for p in self.trainer.model.parameters() if p.grad is not None]
        # with float16 the scaler skips such steps by itself
        if found and not args.fp16 and not bool(torch.stack([grad.isfinite().all() for grad in found]).all()):
            _stop("the loss is finite and its gradient is not", state.global_step + 1, rows, self.setting)


def _stop(what: str, step: int, rows: Sequence[str], setting: str) -> None:
    raise ModelError(
        f"training, step {step}: {what} on rows {', '.join(rows)}. Lower {setting} or look at these rows; the last save"
        " stays."
    )
