"""A folder of trained weights in float32 -> the same folder with the weights in float16, half as large.

Models are read in float32 all the same: their config says so (`dtype`), and both transformers and the grounder convert
what a file holds. float16 keeps 11 bits of a weight, bfloat16 8; the weights of the tiny models lie well within its
range. Figures on cards are those of the stored weights.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from clincot.errors import ModelError

WEIGHTS = "model.safetensors"


def store_half(folder: Path) -> None:
    """Round the weights of `folder` to float16 in place; a second call changes no byte.

    Raises ModelError, and leaves the file, for a weight that float16 cannot hold.
    """
    path = folder / WEIGHTS
    with safe_open(path, framework="pt") as file:
        metadata, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    half = {name: _half(weight) for name, weight in weights.items()}
    odd = [name for name, weight in half.items() if not torch.isfinite(weight).all()]
    if odd:
        raise ModelError(f"{path}: {odd[0]} does not fit into float16. Train again with a lower rate.")
    save_file(half, path, metadata)


def _half(weight: torch.Tensor) -> torch.Tensor:
    """Return floating point weights in float16, others (such as counters) as they are."""
    return weight.to(torch.float16).contiguous() if weight.is_floating_point() else weight.contiguous()
