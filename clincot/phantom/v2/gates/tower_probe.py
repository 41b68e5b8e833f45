"""Crops of objects -> how well a vision tower of the policy's kind, trained on them, tells nodules from distractors."""

from __future__ import annotations

import torch
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from clincot.phantom.grounder.figures import auc
from clincot.phantom.policy.network import MEAN, PATCH, PIXELS, STD, WIDTH
from clincot.phantom.schedule import Schedule
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.gates.views import ObjectViews
from clincot.phantom.v2.objects import KINDS
from clincot.phantom.v2.tower import notice_lines

LEAST = 0.95
STEPS, BATCH, RATE = 200, 96, 2e-3


def tower_gate(known: ObjectViews, held: ObjectViews, *, steps: int = STEPS, layers: int = 4) -> Gate:
    """Train a new tower on the crops of `known` to name kinds (50 CPU seconds), and test it on those of `held`."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    sizes = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": layers}
    tower = CLIPVisionModel(CLIPVisionConfig(image_size=PIXELS, patch_size=PATCH, num_attention_heads=4, **sizes))
    head = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(KINDS)))
    views, labels = _pixels(known), torch.tensor([KINDS.index(thing.kind) for thing in known.things])
    notice_lines(tower, views[:500])
    schedule = Schedule([*tower.parameters(), *head.parameters()], RATE, steps, "tower", lambda line: None)

    def logits(pixels: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(head(tower(pixel_values=pixels).last_hidden_state[:, 1:]), 1)

    for step in range(steps):
        rows = torch.randint(len(views), (BATCH,), generator=generator)
        pixels = views[rows].flip(-1) if step % 2 else views[rows]
        schedule.step(nn.functional.cross_entropy(logits(pixels), labels[rows]))
    with torch.no_grad():
        scores = torch.cat([logits(part) for part in _pixels(held).split(200)]).log_softmax(-1)[:, 0]
    name = "nodule against distractor, crop, tower of patch 8 (AUC)"
    return Gate(name, auc(scores.numpy(), held.lesion), LEAST, 1.0, len(held.things))


def _pixels(views: ObjectViews) -> torch.Tensor:
    grey = torch.from_numpy((views.crops - MEAN[0]) / STD[0])[:, None]
    return grey.expand(-1, 3, -1, -1).float()
