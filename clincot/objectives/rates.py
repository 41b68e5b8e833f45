"""Names of modules and their learning rate -> separate optimizer groups, next to those of the adapter."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Trainer


class OwnRate(Trainer):
    """A trainer whose modules `own_rate_of` (dotted names) learn at `own_rate`; 0 has no effect.

    The schedule multiplies each group's rate, so both rates warm up and decay alike.
    """

    own_rate: float = 0.0
    own_rate_of: tuple[str, ...] = ()

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """As in transformers; then the weights of these modules leave their groups for groups with their rate."""
        first = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if not self.own_rate or not first:
            return optimizer
        named = (model or self.model).named_parameters()
        own = {id(p) for name, p in named if any(f".{part}.modules_to_save." in name for part in self.own_rate_of)}
        for group in list(optimizer.param_groups):
            moved = [p for p in group["params"] if id(p) in own]
            if moved:
                group["params"] = [p for p in group["params"] if id(p) not in own]
                optimizer.add_param_group({**group, "params": moved, "lr": self.own_rate})
        return optimizer
