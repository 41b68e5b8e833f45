"""A small grey heat map -> the same in colours that let the image through where the map is low, for the page."""

from __future__ import annotations

import io

from PIL import Image

LEVELS = 64
# Dark blue over magenta to yellow: order survives in greyscale, and no two levels differ by red against green alone.
STOPS = ((0.0, (20, 10, 90)), (0.4, (150, 30, 130)), (0.7, (240, 100, 60)), (1.0, (255, 235, 90)))
OPAQUE = 190  # alpha of the highest level, of 255


def coloured(grey: bytes) -> bytes:
    """Return a grey PNG as a PNG with a palette whose alpha rises with the level."""
    with Image.open(io.BytesIO(grey)) as image:
        levels = image.convert("L").point(lambda value: value * LEVELS // 256)
    mapped = Image.frombytes("P", levels.size, levels.tobytes())
    shares = [level / (LEVELS - 1) for level in range(LEVELS)]
    mapped.putpalette([channel for share in shares for channel in _colour(share)])
    buffer = io.BytesIO()
    mapped.save(buffer, "PNG", transparency=bytes(round(OPAQUE * share) for share in shares))
    return buffer.getvalue()


def _colour(share: float) -> tuple[int, ...]:
    for (low, first), (high, second) in zip(STOPS, STOPS[1:], strict=False):
        if share <= high:
            part = (share - low) / (high - low)
            return tuple(round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
    return STOPS[-1][1]
