"""Heat maps of any grid -> small grey PNGs that a run keeps for people to look at; no stage reads them."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

SIDE = 32  # pixels of the longer side: under a kilobyte a map, and the proposers' own grids have 7 to 37 patches a side


def kept_map(values: np.ndarray) -> bytes:
    """Return a map (rows, columns) scaled to 0..255 as an 8-bit grey PNG of at most `SIDE` pixels a side.

    It spans the whole image, as the map does. Values that are not finite count as the lowest; a constant map is black.
    """
    finite = np.isfinite(values)
    lowest = values[finite].min() if finite.any() else 0.0
    filled = np.where(finite, values, lowest).astype(np.float32)
    scale = min(1.0, SIDE / max(filled.shape))
    if scale < 1:
        rows, columns = (max(1, round(side * scale)) for side in filled.shape)
        filled = np.asarray(cv2.resize(filled, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    low, high = float(filled.min()), float(filled.max())
    levels = (filled - low) * (255 / (high - low)) if high > low else np.zeros_like(filled)
    buffer = io.BytesIO()
    Image.fromarray(levels.round().astype(np.uint8)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
