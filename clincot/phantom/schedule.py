"""Parameters and a number of steps -> AdamW with warm-up, cosine decay, clipping and a progress line a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

import torch


class Schedule:
    """One training run of the tiny models; `losses` holds the loss of every step so far."""

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        rate: float,
        steps: int,
        name: str,
        report: Callable[[str], None],
        warmup: int = 40,
    ) -> None:
        self._parameters = list(parameters)
        self._optimizer = torch.optim.AdamW(self._parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.02)
        self._rate, self._steps, self._warmup = rate, steps, warmup
        self._name, self._report = name, report
        self._began = self._spoke = time.monotonic()
        self.losses: list[float] = []

    def step(self, loss: torch.Tensor) -> None:
        """Take one optimiser step on `loss`."""
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * self._factor(len(self.losses))
        self._optimizer.step()
        self.losses.append(float(loss.detach()))
        self._speak()

    def _factor(self, done: int) -> float:
        decay = 0.5 * (1 + math.cos(math.pi * min(done / self._steps, 1.0)))
        return min((done + 1) / self._warmup, 1.0) * (0.02 + 0.98 * decay)

    def _speak(self) -> None:
        now, done = time.monotonic(), len(self.losses)
        if now - self._spoke < 60 and done not in (1, 10, self._steps):
            return
        self._spoke = now
        recent = self.losses[-50:]
        left = (now - self._began) / done * (self._steps - done)
        mean = sum(recent) / len(recent)
        self._report(f"{self._name}: step {done}/{self._steps}, loss {mean:.4f}, {left / 60:.1f} min left")
