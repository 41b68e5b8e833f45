"""Views of objects -> how well probes tell nodules from distractors in the global view and in crops, as gates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from clincot.phantom.grounder.figures import auc
from clincot.phantom.schedule import Schedule
from clincot.phantom.v2.gates.gate import Gate
from clincot.phantom.v2.gates.tower_probe import STEPS, tower_gate
from clincot.phantom.v2.gates.views import ObjectViews, object_views
from clincot.phantom.v2.objects import DISTRACTORS, RANGES

GLOBAL_MOST, CROP_LEAST = 0.60, 0.95  # AUC
RIDGE = 30.0


@dataclass(frozen=True)
class ProbePlan:
    """How much the probes see: images to train and test on, and passes (about 4 minutes on one core)."""

    images: int = 1500
    held_out: int = 400
    window_epochs: int = 12
    crop_epochs: int = 8
    tower_steps: int = STEPS
    batch: int = 64
    rate: float = 2e-3


def probe_gates(seed: int = 0, plan: ProbePlan | None = None) -> list[Gate]:
    """Train probes on drawn images of the world `seed`, and test them on its held-out range."""
    torch.set_num_threads(1)  # sums depend on the number of threads
    plan = plan or ProbePlan()
    known = object_views(seed, range(RANGES["train"], RANGES["train"] + plan.images))
    held = object_views(seed, range(RANGES["held_out"], RANGES["held_out"] + plan.held_out))
    count, lesion = len(held.things), held.lesion
    by_ridge = ridge_scores(known.windows, known.lesion, held.windows)
    by_window = cnn_scores(known.windows, known.lesion, held.windows, plan, plan.window_epochs)
    by_crop = cnn_scores(known.crops, known.lesion, held.crops, plan, plan.crop_epochs)
    return [
        Gate(
            "nodule against distractor, global view, linear probe (AUC)", auc(by_ridge, lesion), 0.0, GLOBAL_MOST, count
        ),
        Gate("nodule against distractor, global view, CNN (AUC)", auc(by_window, lesion), 0.0, GLOBAL_MOST, count),
        Gate("nodule against distractor, crop, CNN (AUC)", auc(by_crop, lesion), CROP_LEAST, 1.0, count),
        tower_gate(known, held, steps=plan.tower_steps),
        *_by_kind("global view, CNN", by_window, held, most=GLOBAL_MOST),
        *_by_kind("crop, CNN", by_crop, held, least=0.9),
    ]


def _by_kind(view: str, scores: np.ndarray, held: ObjectViews, least: float = 0.0, most: float = 1.0) -> list[Gate]:
    gates = []
    for kind in DISTRACTORS:
        rows = np.array([thing.lesion or thing.kind == kind for thing in held.things])
        value = auc(scores[rows], held.lesion[rows])
        gates.append(Gate(f"nodule against {kind}, {view} (AUC)", value, least, most, int(rows.sum())))
    return gates


def ridge_scores(known: np.ndarray, lesion: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Fit a ridge regression of `lesion` on flattened views (n, rows, columns), return its values on `held`."""
    flat, test = known.reshape(len(known), -1), held.reshape(len(held), -1)
    mean, std = flat.mean(0), flat.std(0) + 1e-6
    flat, test = (flat - mean) / std, (test - mean) / std
    weights = np.linalg.solve(flat.T @ flat + RIDGE * np.eye(flat.shape[1]), flat.T @ (lesion - lesion.mean()))
    scores: np.ndarray = test @ weights
    return scores


def cnn_scores(
    known: np.ndarray, lesion: np.ndarray, held: np.ndarray, plan: ProbePlan, epochs: int, seed: int = 0
) -> np.ndarray:
    """Train a small CNN to tell nodules from distractors on `known` (n, side, side), return its logits on `held`."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = _network(known.shape[-1])
    views, labels = _normal(known), torch.from_numpy(lesion.astype(np.float32))
    steps = epochs * -(-len(views) // plan.batch)
    schedule = Schedule(network.parameters(), plan.rate, steps, "probe", lambda line: None)
    for _ in range(epochs):
        for rows in torch.randperm(len(views), generator=generator).split(plan.batch):
            batch = views[rows]
            if torch.rand((), generator=generator) < 0.5:
                batch = batch.flip(-1)
            schedule.step(nn.functional.binary_cross_entropy_with_logits(network(batch)[:, 0], labels[rows]))
    with torch.no_grad():
        network.eval()
        scores: np.ndarray = torch.cat([network(part)[:, 0] for part in _normal(held).split(256)]).numpy()
    return scores


def _normal(views: np.ndarray) -> torch.Tensor:
    return torch.from_numpy((views - views.mean((1, 2), keepdims=True)) / 0.12)[:, None].float()


def _network(side: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 1
    for width in (16, 32, 48):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if side >= 24 or width == 16 else []
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(3), nn.Flatten(), nn.Linear(9 * channels, 1))
