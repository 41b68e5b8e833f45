"""Phantoms -> a CLIP vision tower whose patches know the findings they show (stage 1 of the policy's pre-training)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from transformers import CLIPVisionModel

from clincot.phantom.drawing.anatomy import SIDES, ZONES
from clincot.phantom.drawing.draw import Phantom, visible
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.policy.views import WHOLE, location_labels, patch_labels, pixel_values, training_region, view
from clincot.phantom.schedule import Schedule

OUTPUTS = (len(FINDINGS), len(FINDINGS) * len(SIDES) * len(ZONES), len(FINDINGS))
PLACES_WEIGHT = 10.0  # one label in 200 is set, so their mean is small
POSITIVE_WEIGHT = 3.0  # patches that show something are rare


@dataclass(frozen=True)
class Views:
    """A batch: every second view is global, and only those have `places`."""

    pixels: torch.Tensor
    patches: torch.Tensor
    places: torch.Tensor
    shown: torch.Tensor


class PatchHead(nn.Module):
    """Finding logits per patch, and per image as their soft maximum; dropped after stage 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, sum(OUTPUTS))

    def forward(self, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Map (views, 36, width) to logits (views, 36, findings), (views, 36, places) and (views, findings)."""
        local, places, pooled = self.linear(self.norm(patches)).split(OUTPUTS, -1)
        return local, places, torch.logsumexp(pooled, 1) - np.log(pooled.shape[1])


def train_vision(
    tower: CLIPVisionModel,
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
    entropy = nn.functional.binary_cross_entropy_with_logits
    for _ in range(steps):
        views = _batch(bank, batch, rng)
        hidden = tower(pixel_values=views.pixels, output_hidden_states=True).hidden_states[-1][:, 1:]
        local, places, whole = head(hidden)
        loss = entropy(local, views.patches, pos_weight=weight)
        loss = loss + PLACES_WEIGHT * entropy(places[1::2], views.places, pos_weight=weight)
        loss = loss + entropy(whole, views.shown)
        schedule.step(loss)
    return schedule.losses


def _batch(bank: Sequence[Phantom], size: int, rng: np.random.Generator) -> Views:
    views, patches, places, shown = [], [], [], []
    for number, index in enumerate(rng.integers(len(bank), size=size)):
        phantom = bank[index]
        box = WHOLE if number % 2 else training_region(phantom, rng)
        views.append(view(phantom, box))
        patches.append(patch_labels(phantom, box))
        if number % 2:
            places.append(location_labels(phantom))
        names = visible(phantom, box)
        shown.append([float(name in names) for name in FINDINGS])
    labels = torch.from_numpy(np.stack(patches)), torch.from_numpy(np.stack(places))
    return Views(pixel_values(views), *labels, torch.tensor(shown))
