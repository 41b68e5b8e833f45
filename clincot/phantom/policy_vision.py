"""Phantoms -> a CLIP vision tower whose patches know the findings they show (stage 1 of the policy's pre-training)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from clincot.phantom.draw import Phantom, visible
from clincot.phantom.findings import FINDINGS
from clincot.phantom.schedule import Schedule
from clincot.phantom.views import WHOLE, patch_labels, pixel_values, training_region, view

POSITIVE_WEIGHT = 3.0  # patches that show something are rare


class PatchHead(nn.Module):
    """Finding logits per patch, and per image as their soft maximum; dropped after stage 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, 2 * len(FINDINGS))

    def forward(self, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map (views, 36, width) to logits (views, 36, findings) and (views, findings)."""
        local, pooled = self.linear(self.norm(patches)).chunk(2, -1)
        return local, torch.logsumexp(pooled, 1) - np.log(pooled.shape[1])


def train_vision(
    tower: nn.Module,
    bank: Sequence[Phantom],
    *,
    seed: int,
    steps: int,
    batch: int = 96,
    rate: float = 1e-3,
    report: Callable[[str], None] = print,
) -> list[float]:
    """Train `tower` in place on global views and crops, half each; return the loss of every step."""
    rng = np.random.default_rng([seed, 11])
    head = PatchHead(tower.config.hidden_size)
    schedule = Schedule([*tower.parameters(), *head.parameters()], rate, steps, "vision", report)
    weight = torch.tensor(POSITIVE_WEIGHT)
    for _ in range(steps):
        pixels, patches, images = _batch(bank, batch, rng)
        hidden = tower(pixel_values=pixels, output_hidden_states=True).hidden_states[-1][:, 1:]
        local, whole = head(hidden)
        loss = nn.functional.binary_cross_entropy_with_logits(local, patches, pos_weight=weight)
        loss = loss + nn.functional.binary_cross_entropy_with_logits(whole, images)
        schedule.step(loss)
    return schedule.losses


def _batch(bank: Sequence[Phantom], size: int, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
    views, patches, images = [], [], []
    for number, index in enumerate(rng.integers(len(bank), size=size)):
        phantom = bank[index]
        box = WHOLE if number % 2 else training_region(phantom, rng)
        views.append(view(phantom, box))
        patches.append(patch_labels(phantom, box))
        shown = visible(phantom, box)
        images.append([float(name in shown) for name in FINDINGS])
    return pixel_values(views), torch.from_numpy(np.stack(patches)), torch.tensor(images)
