"""A crop, or the requests about it -> the same at the resolution of the whole image, so that only the place helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

from PIL import Image

from clincot import engines
from clincot.images import encode_png
from clincot.lm.requests import ChoiceRequest, ChoiceScores, Completion, GenerateRequest
from clincot.phantom.drawing.anatomy import SIZE

GLOBAL = 48  # pixels a side at which the policy sees a whole image


class LowPass:
    """An engine whose policy sees every image but the first at the whole image's resolution."""

    def __init__(self, engine: engines.Engine) -> None:
        self.engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        return self.engine.generate([replace(r, images=_seen(r.images)) for r in requests])

    def score_choices(self, requests: Sequence[ChoiceRequest]) -> list[ChoiceScores]:
        return self.engine.score_choices([replace(r, images=_seen(r.images)) for r in requests])


def _seen(shown: Sequence[Image.Image]) -> tuple[Image.Image, ...]:
    return (*shown[:1], *map(blurred, shown[1:]))


def blurred(crop: Image.Image) -> Image.Image:
    """Return a crop of the 256-pixel image with no more detail than the whole image at 48 pixels has there."""
    few = tuple(max(1, round(edge * GLOBAL / SIZE)) for edge in crop.size)
    return crop.resize(few, Image.Resampling.BICUBIC).resize(crop.size, Image.Resampling.BICUBIC)


def low_passed(data: bytes) -> bytes:
    """Return an encoded crop, blurred."""
    return encode_png(blurred(Image.open(BytesIO(data)).convert("RGB")))
