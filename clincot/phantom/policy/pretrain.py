"""A seed -> the trained tiny LLaVA in a folder, with its held-out figures on its card."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from clincot.phantom.drawing.draw import RANGES, Phantom, draw
from clincot.phantom.policy.card import policy_card
from clincot.phantom.policy.figures import measure
from clincot.phantom.policy.network import new_policy, save_policy
from clincot.phantom.policy.packing import Batch, Packer, Row, collate
from clincot.phantom.policy.rows import rows
from clincot.phantom.policy.views import Drawn, masked_view, pixel_values, training_region, view
from clincot.phantom.policy.vision import train_vision
from clincot.phantom.schedule import Schedule
from clincot.records import Box

IMAGES = 10_000
VISION_STEPS = 1_000
TEXT_STEPS = 900
HELD_OUT = 1_400
D = TypeVar("D", bound=Drawn)


def pretrain_policy(
    folder: Path,
    seed: int = 0,
    report: Callable[[str], None] = print,
    *,
    images: int = IMAGES,
    vision_steps: int = VISION_STEPS,
    text_steps: int = TEXT_STEPS,
    held_out: int = HELD_OUT,
) -> dict:
    """Draw `images`, train both stages, save to `folder`, measure on `held_out` other images; return the figures."""
    began = time.monotonic()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    bank = draw_bank(seed, RANGES["policy"], images, report)
    model, processor = new_policy()
    train_vision(model.model.vision_tower, bank, seed=seed, steps=vision_steps, report=report)
    train_text(model, processor, bank, seed=seed, steps=text_steps, report=report)
    folder.mkdir(parents=True, exist_ok=True)
    save_policy(model.eval(), processor, folder)
    minutes = (time.monotonic() - began) / 60
    figures = measure(model, processor, seed=seed, images=held_out, prior_images=held_out, report=report)
    figures |= {"seed": seed, "images": images, "steps": [vision_steps, text_steps], "minutes": round(minutes, 1)}
    (folder / "README.md").write_text(policy_card(figures), encoding="utf-8")
    return figures


def draw_bank(seed: int, first: int, count: int, report: Callable[[str], None] = print) -> list[Phantom]:
    """Draw `count` phantoms into memory (about 130 kB each)."""
    began = time.monotonic()
    bank = [draw(seed, first + number) for number in range(count)]
    report(f"drew {count} radiographs in {time.monotonic() - began:.0f} s")
    return bank


def train_text(
    model: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    bank: Sequence[Phantom],
    *,
    seed: int,
    steps: int,
    batch: int = 12,
    report: Callable[[str], None] = print,
) -> list[float]:
    """Train projector and language model in place with the tower frozen; return the loss of every step."""
    order = np.random.default_rng([seed, 12])
    standardise(model, bank[:200])
    return train_texts(model, processor, bank, _asked, order, steps=steps, batch=batch, report=report)


def train_texts(
    model: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    bank: Sequence[D],
    asked: Callable[[D, np.random.Generator], tuple[list[np.ndarray], list[Row]]],
    rng: np.random.Generator,
    *,
    steps: int,
    batch: int,
    rate: float = 2e-3,
    report: Callable[[str], None] = print,
) -> list[float]:
    """Train on `batch` images a step; `asked` gives the views of one and the rows that are read with them."""
    model.train()
    model.model.vision_tower.requires_grad_(False)
    packer = Packer(processor)
    trained = [p for p in model.parameters() if p.requires_grad]
    schedule = Schedule(trained, rate, steps, "text", report)
    for _ in range(steps):
        packed, views = [], []
        for index in rng.integers(len(bank), size=batch):
            seen, read = asked(bank[index], rng)
            views += seen
            packed.append(packer.pack(read))
        schedule.step(next_token_loss(model, collate(packed, processor.tokenizer.pad_token_id), pixel_values(views)))
    model.model.vision_tower.requires_grad_(True)
    return schedule.losses


def _asked(phantom: Phantom, rng: np.random.Generator) -> tuple[list[np.ndarray], list[Row]]:
    box = _stretched(training_region(phantom, rng), rng)
    crop = masked_view(phantom, box, rng) if rng.random() < 0.08 else view(phantom, box)
    return [view(phantom), crop], rows(phantom, box, rng)


@torch.no_grad()
def standardise(model: LlavaForConditionalGeneration, bank: Sequence[Drawn]) -> None:
    """Scale the projector's first layer so that it sees tower features of mean 0 and deviation 1.

    Measured on side questions alone, together with the spread of `policy.SPREAD`: loss 0.27 after 250 steps against
    0.70 (chance) without.
    """
    pixels = pixel_values([view(phantom) for phantom in bank])
    hidden = model.model.vision_tower(pixel_values=pixels, output_hidden_states=True).hidden_states[-1]
    features = hidden[:, 1:].flatten(0, 1)
    first = model.model.multi_modal_projector.linear_1
    first.weight.div_(features.std(0))
    first.bias.copy_(-first.weight @ features.mean(0))


def _stretched(box: Box, rng: np.random.Generator) -> Box:
    """Cut one region in four to another aspect ratio: proposers hand over what the heat map gave."""
    if rng.random() > 0.25:
        return box
    keep = int((box.right - box.left) * rng.uniform(0.55, 0.9))
    start = int(rng.integers(box.right - box.left - keep + 1))
    if rng.random() < 0.5:
        return box._replace(left=box.left + start, right=box.left + start + keep)
    return box._replace(upper=box.upper + start, lower=box.upper + start + keep)


def next_token_loss(model: LlavaForConditionalGeneration, batch: Batch, pixels: torch.Tensor) -> torch.Tensor:
    """Next-token cross-entropy of the answers, weighted per row (see `policy_packing`)."""
    inputs = {"input_ids": batch.ids, "attention_mask": batch.mask, "position_ids": batch.positions}
    outputs = model.model(**inputs, pixel_values=pixels, use_cache=False)
    scored = batch.weights > 0
    logits = model.lm_head(outputs.last_hidden_state[scored])
    losses = nn.functional.cross_entropy(logits, batch.targets[scored], reduction="none")
    weights = batch.weights[scored]
    return (losses * weights).sum() / weights.sum()
