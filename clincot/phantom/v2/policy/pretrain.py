"""A seed -> the trained tiny LLaVA of version 2 in a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from clincot.phantom.policy.network import save_policy
from clincot.phantom.policy.packing import Row
from clincot.phantom.policy.pretrain import standardise, train_texts
from clincot.phantom.policy.views import view
from clincot.phantom.v2.draw import Radiograph, draw
from clincot.phantom.v2.objects import RANGES
from clincot.phantom.v2.policy.looks import chain_of
from clincot.phantom.v2.policy.rows import rows
from clincot.phantom.v2.policy.start import started_policy
from clincot.phantom.v2.policy.vision import train_vision
from clincot.phantom.v2.stored import store_half
from clincot.phantom.v2.texts.tokenizer import train_tokenizer
from clincot.phantom.v2.texts.told import Teller, all_told, told


@dataclass(frozen=True)
class PolicyPlan:
    """How long each part is trained, about 25 CPU minutes in all."""

    images: int = 3_800
    vision_steps: int = 700
    careful_steps: int = 500
    careless_steps: int = 900
    careless_rate: float = 1e-3


def pretrain_policy(
    folder: Path, seed: int = 0, report: Callable[[str], None] = print, plan: PolicyPlan | None = None
) -> float:
    """Train the tower, then texts of careful and of careless reports; write `folder`, return the CPU minutes it took.

    The language model begins as version 1's (`start.py`); another seed draws other images in another order. Careless
    reports alone teach too little of what a nodule is: they mention half of the nodules and two in five distractors.
    """
    began = time.process_time()
    torch.set_num_threads(1)  # sums depend on the number of threads, and so would the weights
    torch.manual_seed(seed)
    plan = plan or PolicyPlan()
    report(f"policy: drawing {plan.images} images")
    bank = [draw(seed, RANGES["policy"] + number) for number in range(plan.images)]
    model, processor = started_policy(train_tokenizer())
    train_vision(model.model.vision_tower, bank, seed=seed, steps=plan.vision_steps, report=report)
    standardise(model, bank[:200])
    train_text(model, processor, bank, all_told, seed=seed, steps=plan.careful_steps, report=report)
    train_text(
        model, processor, bank, told, seed=seed, steps=plan.careless_steps, rate=plan.careless_rate, report=report
    )
    folder.mkdir(parents=True, exist_ok=True)
    save_policy(model.eval(), processor, folder)
    store_half(folder)
    return (time.process_time() - began) / 60


def train_text(
    model: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    bank: Sequence[Radiograph],
    tell: Teller,
    *,
    seed: int,
    steps: int,
    batch: int = 8,
    rate: float = 2e-3,
    report: Callable[[str], None] = print,
) -> list[float]:
    """Train projector and language model in place on reports of `tell`, the tower frozen; return every step's loss."""

    def asked(drawn: Radiograph, rng: np.random.Generator) -> tuple[list[np.ndarray], list[Row]]:
        crop = chain_of(drawn.layout, 1, rng)[0]
        return [view(drawn), view(drawn, crop)], rows(drawn.layout, crop, rng, tell)

    order = np.random.default_rng([seed, 32])
    return train_texts(model, processor, bank, asked, order, steps=steps, batch=batch, rate=rate, report=report)
