"""A seed -> the trained tiny LLaVA of version 2 in a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from clincot.phantom.policy.network import save_policy
from clincot.phantom.policy.packing import Row
from clincot.phantom.policy.pretrain import train_texts
from clincot.phantom.policy.views import view
from clincot.phantom.v2.draw import Radiograph, draw
from clincot.phantom.v2.objects import RANGES
from clincot.phantom.v2.policy.looks import chain_of
from clincot.phantom.v2.policy.rows import rows
from clincot.phantom.v2.policy.start import started_policy
from clincot.phantom.v2.policy.vision import train_vision
from clincot.phantom.v2.texts.tokenizer import train_tokenizer

IMAGES = 3_800
VISION_STEPS = 300
TEXT_STEPS = 600


def pretrain_policy(
    folder: Path,
    seed: int = 0,
    report: Callable[[str], None] = print,
    *,
    images: int = IMAGES,
    vision_steps: int = VISION_STEPS,
    text_steps: int = TEXT_STEPS,
) -> float:
    """Draw `images`, train both stages and save to `folder`; return the minutes it took.

    The language model begins as version 1's (`start.py`); another seed draws other images in another order.
    """
    began = time.monotonic()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    bank = [draw(seed, RANGES["policy"] + number) for number in range(images)]
    report(f"drew {images} radiographs in {time.monotonic() - began:.0f} s")
    model, processor = started_policy(train_tokenizer())
    train_vision(model.model.vision_tower, bank, seed=seed, steps=vision_steps, report=report)
    train_text(model, processor, bank, seed=seed, steps=text_steps, report=report)
    folder.mkdir(parents=True, exist_ok=True)
    save_policy(model.eval(), processor, folder)
    return (time.monotonic() - began) / 60


def train_text(
    model: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    bank: Sequence[Radiograph],
    *,
    seed: int,
    steps: int,
    batch: int = 10,
    report: Callable[[str], None] = print,
) -> list[float]:
    """Train projector and language model in place with the tower frozen; return the loss of every step."""
    order = np.random.default_rng([seed, 32])
    return train_texts(model, processor, bank, _asked, order, steps=steps, batch=batch, report=report)


def _asked(drawn: Radiograph, rng: np.random.Generator) -> tuple[list[np.ndarray], list[Row]]:
    crop = chain_of(drawn.layout, 1, rng)[0]
    return [view(drawn), view(drawn, crop)], rows(drawn.layout, crop, rng)
