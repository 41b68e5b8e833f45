"""Grey values of any depth and range -> an 8-bit RGB picture."""

from __future__ import annotations

import numpy as np
from PIL import Image


def stretched(values: np.ndarray, *, inverted: bool = False) -> Image.Image:
    """Stretch `values` (rows, columns) from their minimum and maximum to 0 and 255; `inverted`: the lowest is white.

    Values that are not finite are black, and a constant picture is too: its level says nothing about a body.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return Image.new("RGB", values.shape[::-1])
    # float64: the differences of 32-bit integers do not fit float32.
    low, high = float(values[finite].min()), float(values[finite].max())
    if high <= low:
        return Image.new("RGB", values.shape[::-1])
    share = (np.where(finite, values, low).astype(np.float64) - low) / (high - low)
    share = np.where(finite, 1 - share if inverted else share, 0.0)
    return Image.fromarray(np.round(share * 255).astype(np.uint8)).convert("RGB")
