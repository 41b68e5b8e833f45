"""Drawn phantoms with their lesion boxes -> a trained grounder in a folder, with its held-out figures on its card.

Losses: presence (binary cross-entropy), map (cross-entropy between a bump over each lesion box and the query's
attention over the tokens) and, for the trunk only, patch-wise finding logits whose layer is dropped after training.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from clincot.phantom.drawing.anatomy import SIZE
from clincot.phantom.drawing.draw import RANGES, draw
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.grounder.figures import grounder_card, grounder_figures
from clincot.phantom.grounder.plan import GrounderPlan
from clincot.regions.query_grounder import QueryGrounderConfig, QueryGrounderModel, grounder_pixels

Report = Callable[[str], None]
MAX_FINDINGS = 2
# Cells on either side of a lesion's centre: attention on a bare nodule (10-20 px) gave components under 1 % of the
# image, which region extraction drops (recipe `regions.smallest`): 28 of 30 nodules had no region. The price: pointing
# on nodules falls from .995 to .851, as the top of a wide bump is flat.
LEAST_HALF = 3.0
SHIFT = 4  # pixels of the resized image


@dataclass
class DrawnSet:
    """`pixels` (n, 1, size, size) normalised, `boxes` (n, 2, 4) in image sides, `names` (n, 2), -1 = none."""

    pixels: Tensor
    boxes: Tensor
    names: Tensor

    def __len__(self) -> int:
        return len(self.pixels)

    def present(self) -> Tensor:
        """(n, entities) 0/1: which findings an image shows."""
        hot = functional.one_hot(self.names + 1, len(FINDINGS) + 1)[:, :, 1:]
        return hot.amax(1).float()


def drawn_set(seed: int, split: str, count: int, config: QueryGrounderConfig) -> DrawnSet:
    """Draw the first `count` phantoms of a split of the world `seed`, about 10 ms each."""
    pixels = torch.empty(count, 1, config.image_size, config.image_size)
    boxes, names = torch.zeros(count, MAX_FINDINGS, 4), torch.full((count, MAX_FINDINGS), -1)
    for index in range(count):
        phantom = draw(seed, RANGES[split] + index)
        pixels[index] = grounder_pixels([Image.fromarray(phantom.image)], config)[0]
        for place, finding in enumerate(phantom.findings[:MAX_FINDINGS]):
            boxes[index, place] = torch.tensor(finding.box, dtype=torch.float32) / SIZE
            names[index, place] = FINDINGS.index(finding.name)
    return DrawnSet(pixels, boxes, names)


def box_targets(boxes: Tensor, names: Tensor, grid: int) -> Tensor:
    """(b, 2, 4), (b, 2) -> (b, entities, grid, grid): a bump over each box, highest at its centre, zero outside."""
    centres = (torch.arange(grid) + 0.5) / grid
    left, upper, right, lower = boxes.unbind(-1)
    across = _bump(centres, left, right)
    down = _bump(centres, upper, lower)
    bumps = down[..., :, None] * across[..., None, :] * (names >= 0)[..., None, None]
    targets = torch.zeros(len(boxes), len(FINDINGS), grid, grid)
    for place in range(boxes.shape[1]):
        targets[torch.arange(len(boxes)), names[:, place].clamp(min=0)] += bumps[:, place]
    return targets


def _bump(centres: Tensor, low: Tensor, high: Tensor) -> Tensor:
    half = ((high - low) / 2).clamp(min=LEAST_HALF / len(centres))
    return (1 - ((centres - (low + high)[..., None] / 2) / half[..., None]) ** 2).clamp(min=0)


def _batches(data: DrawnSet, plan: GrounderPlan, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Shuffled batches, each shifted by a few pixels and with its own contrast and brightness."""
    generator = torch.Generator().manual_seed(seed)
    present, size = data.present(), data.pixels.shape[-1]
    for _ in range(plan.epochs):
        for rows in torch.randperm(len(data), generator=generator).split(plan.batch):
            right, down = (int(v) for v in torch.randint(-SHIFT, SHIFT + 1, (2,), generator=generator))
            padded = functional.pad(data.pixels[rows], (SHIFT,) * 4, mode="replicate")
            pixels = padded[:, :, SHIFT - down :, SHIFT - right :][:, :, :size, :size]
            gain, bias = torch.randn(2, len(rows), 1, 1, 1, generator=generator) * 0.1
            moved = data.boxes[rows] + torch.tensor([right, down, right, down]) / size
            yield pixels * (1 + gain) + bias, moved, data.names[rows], present[rows]


def _losses(model: QueryGrounderModel, patch_head: nn.Linear, batch: tuple[Tensor, ...], plan: GrounderPlan) -> Tensor:
    pixels, boxes, names, present = batch
    grounding = model(pixels.to(memory_format=torch.channels_last))
    targets = box_targets(boxes, names, grounding.maps.shape[-1])
    presence = functional.binary_cross_entropy_with_logits(grounding.logits, present)
    patches = patch_head(grounding.tokens).transpose(1, 2).unflatten(-1, targets.shape[-2:])
    patch = functional.binary_cross_entropy_with_logits(patches, (targets > 0).float())
    wanted = targets / targets.sum((-2, -1), keepdim=True).clamp(min=1e-6)
    spread = -(wanted * (grounding.maps + 1e-9).log()).sum() / present.sum().clamp(min=1)
    return presence + plan.map_weight * spread + plan.patch_weight * patch


def train_grounder(data: DrawnSet, config: QueryGrounderConfig, plan: GrounderPlan, seed: int, report: Report) -> Any:
    """AdamW with warm-up and cosine decay; returns the trained model in evaluation mode."""
    torch.manual_seed(seed)
    model = QueryGrounderModel(config).to(memory_format=torch.channels_last).train()
    patch_head = nn.Linear(config.width, len(FINDINGS))
    nn.init.constant_(patch_head.bias, -4.0)
    parameters = [*model.parameters(), *patch_head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    steps = plan.epochs * math.ceil(len(data) / plan.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    started = time.monotonic()
    for step, batch in enumerate(_batches(data, plan, seed), start=1):
        loss = _losses(model, patch_head, batch, plan)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            report(f"grounder: step {step}/{steps}, loss {loss.item():.3f}, {time.monotonic() - started:.0f} s")
    return model.eval()


def _rate(step: int, steps: int) -> float:
    warm = max(1, steps // 20)
    return min(1.0, (step + 1) / warm) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps)))


def pretrain_grounder(
    folder: Path, seed: int = 0, report: Report = print, plan: GrounderPlan | None = None
) -> dict[str, Any]:
    """Train from scratch, write weights and card to `folder`, return the held-out figures per finding."""
    torch.set_num_threads(1)  # sums depend on the number of threads, and so would the weights
    plan = plan or GrounderPlan()
    config = QueryGrounderConfig(entities=list(FINDINGS))
    report(f"grounder: drawing {plan.images + plan.held_out} phantoms")
    model = train_grounder(drawn_set(seed, "grounder", plan.images, config), config, plan, seed, report)
    held_out = drawn_set(seed, "held_out", plan.held_out, config)
    figures = grounder_figures(model, held_out.pixels, held_out.boxes, held_out.names, held_out.present())
    model.to(memory_format=torch.contiguous_format).save_pretrained(folder)
    (Path(folder) / "README.md").write_text(grounder_card(figures, plan, seed), encoding="utf-8")
    for name, row in figures.items():
        report(f"grounder: {name}: AUC {row['auc'][0]:.3f}, pointing {row['pointing'][0]:.3f}")
    return figures
