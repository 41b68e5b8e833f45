"""A policy's folder -> the CLIP of its image tower in a folder, with its held-out figures on its card.

Only the text tower and both projections are trained: the image tower must stay the policy's, so its states are computed
once. A text and a view are matched by a sigmoid each, as in SigLIP, because many texts are true of one view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import CLIPModel, PreTrainedTokenizerFast

from clincot.phantom.policy.network import load_policy
from clincot.phantom.policy.views import WHOLE, pixel_values, view
from clincot.phantom.schedule import Schedule
from clincot.phantom.v2.draw import draw
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.objects import RANGES, Thing
from clincot.phantom.v2.policy.looks import chain_of
from clincot.phantom.v2.similarity.figures import similarity_card, similarity_gates
from clincot.phantom.v2.similarity.network import image_states, new_similarity, save_similarity
from clincot.phantom.v2.similarity.texts import TEMPLATES, WORDS, sentence, truths
from clincot.phantom.v2.stored import store_half
from clincot.phantom.v2.texts.statements import shown
from clincot.phantom.v2.texts.variants import pick

FIRST_BIAS = -1.0  # of the match: most texts are false


@dataclass(frozen=True)
class SimilarityPlan:
    """How much to train: `images`, `crops` of each in addition to the whole, and `steps` of `batch` views."""

    images: int = 1000
    crops: int = 3
    steps: int = 900
    batch: int = 64
    rate: float = 2e-3
    held_out: int = 200


@dataclass(frozen=True)
class Views:
    """`pixels` (n, 3, 48, 48) of views and the nodules that each shows."""

    pixels: torch.Tensor
    nodules: list[tuple[Thing, ...]]


def pretrain_similarity(
    folder: Path,
    policy: Path,
    seed: int = 0,
    report: Callable[[str], None] = print,
    plan: SimilarityPlan | None = None,
) -> list[Gate]:
    """Train the text tower for the image tower of the policy in `policy`, write `folder`, return held-out figures.

    Raises ModelError where `policy` lacks weights.
    """
    torch.set_num_threads(1)  # sums depend on the number of threads, and so would the weights
    torch.manual_seed(seed + 3)
    plan = plan or SimilarityPlan()
    owner, processor = load_policy(policy)
    model, tokenizer = new_similarity(owner)
    report(f"similarity: drawing {plan.images} images")
    train(model, tokenizer, views_of(seed, plan), plan, seed=seed, report=report)
    folder.mkdir(parents=True, exist_ok=True)
    save_similarity(model.eval(), tokenizer, processor, folder)
    store_half(folder)
    gates = similarity_gates(folder, seed, plan.held_out)
    (folder / "README.md").write_text(similarity_card(gates, seed, policy.name), encoding="utf-8")
    return gates


def views_of(seed: int, plan: SimilarityPlan) -> Views:
    """Draw the images; return the whole and some crops of each with the nodules that they show."""
    pixels, nodules = [], []
    for number in range(plan.images):
        drawn = draw(seed, RANGES["similarity"] + number)
        rng = np.random.default_rng([seed, drawn.layout.index, 61])
        for box in (WHOLE, *chain_of(drawn.layout, plan.crops, rng)):
            pixels.append(view(drawn, box))
            nodules.append(shown(drawn.layout.lesions, box))
    return Views(pixel_values(pixels), nodules)


def train(
    model: CLIPModel,
    tokenizer: PreTrainedTokenizerFast,
    views: Views,
    plan: SimilarityPlan,
    *,
    seed: int,
    report: Callable[[str], None],
) -> list[float]:
    """Train text tower and projections in place; return the loss of every step."""
    rng = np.random.default_rng([seed, 62])
    states = image_states(model.eval(), views.pixels)
    bias = nn.Parameter(torch.tensor(FIRST_BIAS))
    trained = [p for p in model.parameters() if p.requires_grad]
    schedule = Schedule([*trained, bias], plan.rate, plan.steps, "similarity", report)
    model.train()
    for _ in range(plan.steps):
        rows = rng.integers(len(states), size=plan.batch)
        nodules = [views.nodules[row] for row in rows]
        texts = [*WORDS, *(sentence(own, rng) for own in nodules)]
        truth = torch.tensor(truths(texts, nodules)).float()
        cosines = unit(model.visual_projection(states[rows])) @ text_embeddings(model, tokenizer, texts, rng).T
        loss = nn.functional.binary_cross_entropy_with_logits(cosines * model.logit_scale.exp() + bias, truth)
        schedule.step(loss)
    return schedule.losses


def text_embeddings(
    model: CLIPModel, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], rng: np.random.Generator
) -> torch.Tensor:
    """Return (texts, dim), unit length; words in a random template."""
    framed = [pick(TEMPLATES, rng).format(text) if text in WORDS else text for text in texts]
    inputs = tokenizer(framed, return_tensors="pt", padding=True, padding_side="right", return_token_type_ids=False)
    return unit(model.get_text_features(**inputs).pooler_output)


def unit(states: torch.Tensor) -> torch.Tensor:
    """Return the vectors at unit length."""
    return nn.functional.normalize(states, dim=-1)
