"""A seed -> the critic of version 2 in a folder, trained as the policy is, with its held-out figures on its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from clincot.phantom.policy.network import save_policy
from clincot.phantom.policy.packing import collate
from clincot.phantom.policy.pretrain import next_token_loss, standardise
from clincot.phantom.policy.views import pixel_values, view
from clincot.phantom.schedule import Schedule
from clincot.phantom.v2.critic.figures import critic_card, critic_gates
from clincot.phantom.v2.critic.packing import pack_group
from clincot.phantom.v2.critic.rows import Group, answer_group, finding_group
from clincot.phantom.v2.draw import Radiograph, draw
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.objects import RANGES
from clincot.phantom.v2.policy.looks import chain_of
from clincot.phantom.v2.policy.start import started_policy
from clincot.phantom.v2.policy.vision import train_vision
from clincot.phantom.v2.stored import store_half
from clincot.phantom.v2.texts.tokenizer import train_tokenizer
from clincot.records import Box

FINDINGS_SHARE = 0.7  # of the groups; the others are answers


@dataclass(frozen=True)
class CriticPlan:
    """How much to train: `images` distinct phantoms, steps of the tower, and `steps` of `batch` groups of texts."""

    images: int = 1500
    vision_steps: int = 300
    steps: int = 400
    batch: int = 8
    rate: float = 1.5e-3
    held_out: int = 150


def pretrain_critic(
    folder: Path, seed: int = 0, report: Callable[[str], None] = print, plan: CriticPlan | None = None
) -> list[Gate]:
    """Train the tower on kinds, sizes and places, then the rest to rate; write `folder`, return its held-out figures.

    Its images, its tower and its order are not those of the policy.
    """
    torch.set_num_threads(1)  # sums depend on the number of threads, and so would the weights
    torch.manual_seed(seed + 1)
    plan = plan or CriticPlan()
    report(f"critic: drawing {plan.images} images")
    bank = [draw(seed, RANGES["critic"] + number) for number in range(plan.images)]
    model, processor = started_policy(train_tokenizer())
    train_vision(model.model.vision_tower, bank, seed=seed + 1, steps=plan.vision_steps, report=report)
    standardise(model, bank[:200])
    train(model, processor, bank, plan, seed=seed, report=report)
    folder.mkdir(parents=True, exist_ok=True)
    save_policy(model.eval(), processor, folder)
    store_half(folder)
    gates = critic_gates(folder, seed, plan.held_out)
    (folder / "README.md").write_text(critic_card(gates, seed), encoding="utf-8")
    return gates


def train(
    model: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    bank: Sequence[Radiograph],
    plan: CriticPlan,
    *,
    seed: int,
    report: Callable[[str], None],
) -> list[float]:
    """Train projector and language model in place with the tower frozen; return the loss of every step."""
    rng = np.random.default_rng([seed, 41])
    model.train()
    model.model.vision_tower.requires_grad_(False)
    schedule = Schedule([p for p in model.parameters() if p.requires_grad], plan.rate, plan.steps, "critic", report)
    for _ in range(plan.steps):
        packed, views = [], []
        for index in rng.integers(len(bank), size=plan.batch):
            drawn = bank[index]
            crop = chain_of(drawn.layout, 1, rng)[0]
            packed.append(pack_group(processor, _group(drawn, crop, rng)))
            views += [view(drawn), view(drawn, crop)]
        schedule.step(next_token_loss(model, collate(packed, processor.tokenizer.pad_token_id), pixel_values(views)))
    model.model.vision_tower.requires_grad_(True)
    return schedule.losses


def _group(drawn: Radiograph, crop: Box, rng: np.random.Generator) -> Group:
    answers = answer_group(drawn.layout, crop, rng) if rng.random() > FINDINGS_SHARE else None
    return answers or finding_group(drawn.layout, crop, rng)
