"""A new CLIP vision tower and some views -> the same tower, begun so that it notices fine lines within its first steps.

What tells a nodule from a distractor is the energy of lines finer than a patch, at any place and turn: no linear
function of a patch shows it, and from random weights a tower of patch 8 sees none of it in 150 steps (AUC .49). Begun
from whitened patches and their rectified parts it reaches .72 in 50 steps of 96 crops and .92 in 75 (rate 2e-3).
"""

from __future__ import annotations

import numpy as np
import torch
from transformers import CLIPVisionModel

NOISE = 1e-3  # variance below which a pattern is not scaled up
QUIET = 0.2  # of the position embeddings: places matter less than patterns at first
GAIN = 2.0


@torch.no_grad()
def notice_lines(tower: CLIPVisionModel, pixels: torch.Tensor) -> None:
    """Set the first weights of `tower` in place from `pixels` (views, 3, side, side), grey views as it is shown.

    The patch embedding holds the whitening patterns of the patches and their negatives; the first layer's MLP rectifies
    each, so that sums of its units are energies. Needs a width of twice the pixels of a patch.
    """
    embeddings = tower.embeddings
    patch = tower.config.patch_size
    patches = pixels[:, 0].unfold(1, patch, patch).unfold(2, patch, patch).reshape(-1, patch * patch).double().numpy()
    variances, patterns = np.linalg.eigh(np.cov((patches - patches.mean(0)).T))
    whitening = torch.from_numpy((patterns / np.sqrt(variances + NOISE)).T).float()
    both = torch.cat([whitening, -whitening]) / 3  # the three channels of a grey view are equal
    width = embeddings.patch_embedding.weight.shape[0]
    if len(both) != width:
        raise ValueError(f"tower: {width} wide, its patches have {len(both) // 2} pixels. Use twice as many.")
    embeddings.patch_embedding.weight.copy_(both.view(width, 1, patch, patch).expand(-1, 3, -1, -1))
    embeddings.position_embedding.weight.mul_(QUIET)
    first = tower.encoder.layers[0].mlp
    first.fc1.weight[:width] = GAIN * torch.eye(width)
    first.fc2.weight.mul_(GAIN)
