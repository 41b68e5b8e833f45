"""A loaded model and what decides how it reads -> a key of exactly these weights; map values -> the range [0, 1]."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from torch import nn


def weights_key(model: nn.Module, reading: Sequence[object]) -> str:
    """Return 16 hex digits of the sha256 over `reading` (sizes, names, texts) and every tensor of the model."""
    digest = hashlib.sha256(repr(tuple(reading)).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def unit_range(values: np.ndarray) -> np.ndarray:
    """Shift and scale to [0, 1] as float32; a constant map becomes zeros, which `find_region` takes for no region."""
    values = values.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
