"""A grounder's outputs on held-out phantoms -> AUC and pointing game per finding with 95% intervals, and its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.grounder.plan import GrounderPlan
from clincot.regions.query_grounder import QueryGrounderModel

Interval = tuple[float, float, float]  # value, lower, upper
BOOTSTRAPS = 1000


def grounder_figures(
    model: QueryGrounderModel, pixels: Tensor, boxes: Tensor, names: Tensor, present: Tensor
) -> dict[str, dict[str, Any]]:
    """Per finding: `auc` and `pointing` as (value, lower, upper), `n` images and `shown`, those that show it."""
    logits, hits = evaluate_maps(model, pixels, boxes, names)
    figures = {}
    for place, name in enumerate(FINDINGS):
        there = present[:, place].numpy() > 0
        auc = bootstrap_auc(logits[:, place].numpy(), there)
        pointing = wilson(int(hits[there, place].sum()), int(there.sum()))
        figures[name] = {"auc": auc, "pointing": pointing, "n": len(there), "shown": int(there.sum())}
    return figures


@torch.no_grad()
def evaluate_maps(model: QueryGrounderModel, pixels: Tensor, boxes: Tensor, names: Tensor) -> tuple[Tensor, Tensor]:
    """Presence logits (n, entities), and whether the centre of each map's highest cell lies in a box of its finding."""
    logits, hits = [], []
    for rows in torch.arange(len(pixels)).split(64):
        grounding = model(pixels[rows])
        grid = grounding.maps.shape[-1]
        best = grounding.maps.flatten(-2).argmax(-1)
        across, down = (best % grid + 0.5) / grid, (best // grid + 0.5) / grid
        left, upper, right, lower = (edge[:, None] for edge in boxes[rows].unbind(-1))
        inside = (left <= across[..., None]) & (across[..., None] < right)
        inside &= (upper <= down[..., None]) & (down[..., None] < lower)
        own = names[rows][:, None] == torch.arange(len(FINDINGS))[None, :, None]
        logits.append(grounding.logits)
        hits.append((inside & own).any(-1))
    return torch.cat(logits), torch.cat(hits)


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive scores above a negative, ties counting half (Mann-Whitney)."""
    order = np.sort(scores)
    ranks = (np.searchsorted(order, scores, "left") + np.searchsorted(order, scores, "right") + 1) / 2
    here = int(positive.sum())
    return float((ranks[positive].sum() - here * (here + 1) / 2) / max(1, here * (len(scores) - here)))


def bootstrap_auc(scores: np.ndarray, positive: np.ndarray, seed: int = 0) -> Interval:
    """AUC with the 2.5 and 97.5 percentiles over images drawn with replacement."""
    generator = np.random.default_rng(seed)
    draws = generator.integers(0, len(scores), (BOOTSTRAPS, len(scores)))
    values = [auc(scores[rows], positive[rows]) for rows in draws]
    low, high = np.percentile(values, [2.5, 97.5])
    return auc(scores, positive), float(low), float(high)


def wilson(hits: int, count: int) -> Interval:
    """A share with its 95% Wilson interval."""
    if count == 0:
        return float("nan"), 0.0, 1.0
    z, share = 1.959964, hits / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return share, centre - half, centre + half


def show(interval: Interval) -> str:
    """`.912 (.894-.928)`."""
    value, low, high = (f"{number:.3f}".replace("0.", ".", 1) for number in interval)
    return f"{value} ({low}-{high})"


def grounder_card(figures: Mapping[str, Mapping[str, Any]], plan: GrounderPlan, seed: int) -> str:
    """The model card of a trained grounder: what it is, how it was made, what it can do."""
    n = max(row["n"] for row in figures.values())
    rows = "\n".join(
        f"| {name} | {show(row['auc'])} | {show(row['pointing'])} | {row['shown']} |" for name, row in figures.items()
    )
    numbers = ", ".join(f"{key} {value}" for key, value in asdict(plan).items())
    return f"""---
license: apache-2.0
library_name: transformers
tags: [clincot, phantom, grounding]
---
# Phantom grounder

Finds {", ".join(figures)} in drawn chest phantoms.
It proposes the regions of the embedded benchmark and has seen no real radiograph: not for clinical use.

A grey 128 x 128 image (resized without keeping the aspect) passes a small ResNet trunk; one learned query per finding
attends to a 32 x 32 grid of tokens through two decoder layers (after MedKLIP). The cross-attention, averaged over heads
and layers, is the heat map; a linear head on the query gives the presence probability. Attention is supervised by
lesion boxes; a patch-wise loss helps the trunk during training and is dropped afterwards. The map reaches the pointing
targets by attention itself, so no patch-logit head replaces it. Small lesions are given a wide target (48 of 256
pixels), so that their component passes the usual least size of a region; this costs nodules some pointing.

## Made by

    clincot phantom pretrain --only grounder

Trained from scratch, seed {seed}:
{numbers}.

## Held-out figures

{n} phantoms of the held-out range. Pointing: the centre of the map's highest cell lies in a box of the finding, over
the images that show it. Brackets: 95% intervals (AUC: bootstrap over images; pointing: Wilson).

| finding | presence AUC | pointing game | images showing it |
|---|---|---|---|
{rows}

## Use

    from clincot.regions.base import Subject
    from clincot.regions.query_grounder import QueryGrounder

    grounder = QueryGrounder.from_pretrained("FOLDER OR REPOSITORY")
    maps = grounder.heat_maps([Subject("name", image)], [["nodule", "effusion"]])
"""
