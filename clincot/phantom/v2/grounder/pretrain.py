"""Drawn images with the boxes of all objects -> a trained grounder of version 2 in a folder, with its card.

The map is trained on nodules and distractors alike, because a grounder that knew them apart would leave nothing for
the chain to find out. Its presence logit is trained on nodules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from clincot.phantom.drawing.anatomy import SIZE
from clincot.phantom.schedule import Schedule
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.grounder.figures import grounder_card, grounder_gates
from clincot.phantom.v2.grounder.plan import GrounderPlan
from clincot.phantom.v2.objects import LESION, MOST_DISTRACTORS, NUMBER_OF_LESIONS, RANGES
from clincot.regions.query_grounder import QueryGrounder, QueryGrounderConfig, QueryGrounderModel, grounder_pixels

Report = Callable[[str], None]
MOST = len(NUMBER_OF_LESIONS) - 1 + MOST_DISTRACTORS
HALF = 1.75  # cells of 8 pixels on either side of an object's centre: equal for all, so that no size comes first
SHIFT = 4  # pixels of the resized image


@dataclass
class DrawnSet:
    """`pixels` (n, 1, size, size) normalised, `centres` (n, 9, 2) x and y in image sides, `weights` (n, 9).

    A weight is 1 for a distractor, `lesion_share` for a nodule, 0 for none; `present` (n, 1): whether one is a nodule.
    """

    pixels: Tensor
    centres: Tensor
    weights: Tensor
    present: Tensor

    def __len__(self) -> int:
        return len(self.pixels)


def drawn_set(seed: int, plan: GrounderPlan, config: QueryGrounderConfig) -> DrawnSet:
    """Draw the first images of the grounder's range of the world `seed`, about 25 ms each."""
    count = plan.images
    pixels = torch.empty(count, 1, config.image_size, config.image_size)
    centres, weights, present = torch.zeros(count, MOST, 2), torch.zeros(count, MOST), torch.zeros(count, 1)
    for number in range(count):
        drawn = draw(seed, RANGES["grounder"] + number)
        pixels[number] = grounder_pixels([Image.fromarray(drawn.image)], config)[0]
        present[number] = float(bool(drawn.layout.lesions))
        for place, thing in enumerate(drawn.layout.things):
            centres[number, place] = torch.tensor(thing.centre) / SIZE
            weights[number, place] = plan.lesion_share if thing.lesion else 1.0
    return DrawnSet(pixels, centres, weights, present)


def map_targets(centres: Tensor, weights: Tensor, grid: int) -> Tensor:
    """(b, 9, 2), (b, 9) -> (b, 1, grid, grid): a bump of equal width over each object, as high as its weight."""
    cells = (torch.arange(grid) + 0.5) / grid
    across, down = (
        (1 - ((cells - centre[..., None]) * grid / HALF) ** 2).clamp(min=0) for centre in centres.unbind(-1)
    )
    return (down[..., :, None] * across[..., None, :] * weights[..., None, None]).sum(1, keepdim=True)


def _loss(
    model: QueryGrounderModel, patch_head: nn.Linear, pixels: Tensor, rows: DrawnSet, plan: GrounderPlan
) -> Tensor:
    grounding = model(pixels.to(memory_format=torch.channels_last))
    targets = map_targets(rows.centres, rows.weights, grounding.maps.shape[-1])
    presence = functional.binary_cross_entropy_with_logits(grounding.logits, rows.present)
    patches = patch_head(grounding.tokens).transpose(1, 2).unflatten(-1, targets.shape[-2:])
    patch = functional.binary_cross_entropy_with_logits(patches, targets.clamp(max=1))
    wanted = targets / targets.sum((-2, -1), keepdim=True)
    spread = -(wanted * (grounding.maps + 1e-9).log()).sum() / len(pixels)
    return plan.presence_weight * presence + spread + plan.patch_weight * patch


def _moved(data: DrawnSet, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, DrawnSet]:
    """A batch that is shifted by a few pixels, with a contrast and brightness of each image."""
    size = data.pixels.shape[-1]
    right, down = (int(v) for v in torch.randint(-SHIFT, SHIFT + 1, (2,), generator=generator))
    padded = functional.pad(data.pixels[rows], (SHIFT,) * 4, mode="replicate")
    pixels = padded[:, :, SHIFT - down :, SHIFT - right :][:, :, :size, :size]
    gain, bias = torch.randn(2, len(rows), 1, 1, 1, generator=generator) * 0.1
    centres = data.centres[rows] + torch.tensor([right, down]) / size
    return pixels * (1 + gain) + bias, DrawnSet(pixels, centres, data.weights[rows], data.present[rows])


def train_grounder(
    data: DrawnSet, config: QueryGrounderConfig, plan: GrounderPlan, seed: int, report: Report
) -> QueryGrounderModel:
    """AdamW with warm-up and cosine decay; returns the trained model in evaluation mode."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = QueryGrounderModel(config).to(memory_format=torch.channels_last).train()
    patch_head = nn.Linear(config.width, 1)
    nn.init.constant_(patch_head.bias, -4.0)
    steps = plan.epochs * -(-len(data) // plan.batch)
    schedule = Schedule([*model.parameters(), *patch_head.parameters()], plan.rate, steps, "grounder", report)
    for _ in range(plan.epochs):
        for rows in torch.randperm(len(data), generator=generator).split(plan.batch):
            pixels, batch = _moved(data, rows, generator)
            schedule.step(_loss(model, patch_head, pixels, batch, plan))
    return model.to(memory_format=torch.contiguous_format).eval()


def pretrain_grounder(
    folder: Path, seed: int = 0, report: Report = print, plan: GrounderPlan | None = None
) -> list[Gate]:
    """Train from scratch, write weights and card to `folder`, return the held-out figures."""
    torch.set_num_threads(1)  # sums depend on the number of threads, and so would the weights
    plan = plan or GrounderPlan()
    config = QueryGrounderConfig(
        entities=[LESION], stem_width=plan.stem, stage_widths=list(plan.stages), width=plan.width
    )
    report(f"grounder: drawing {plan.images + plan.held_out} images")
    model = train_grounder(drawn_set(seed, plan, config), config, plan, seed, report)
    model.save_pretrained(folder)
    gates = grounder_gates(QueryGrounder.from_pretrained(folder), seed, plan.held_out)
    (Path(folder) / "README.md").write_text(grounder_card(gates, plan, seed), encoding="utf-8")
    return gates
