"""A processor and a recipe's `image_fit` -> how images become the square that a tower reads; what a crop removes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from clincot.errors import ModelError
from clincot.recipe import ImageFit
from clincot.records.lineage import shown

Size = tuple[int, int]  # width, height
PROBES: tuple[Size, Size] = ((120, 40), (40, 120))  # shapes from which processors that cut tiles make several
KEPT = ("resample", "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std", "do_convert_rgb")
LARGE = 0.25  # of the area of an image: what is at its border is gone


@dataclass(frozen=True)
class Square:
    """The square that a processor makes of every image: `side` pixels, by this `fit`."""

    side: int
    fit: ImageFit


@dataclass(frozen=True)
class CropLoss:
    """Which share of the area of `images` images a centre crop removes: the mean, the `most`, and how many lose LARGE.

    `processor` names the class that crops.
    """

    processor: str
    images: int
    mean: float
    most: float
    large: float

    def __str__(self) -> str:
        return (
            f"{self.processor} crops images to a square: {self.mean:.1%} of the area of these {self.images} images is"
            f" lost on average, {self.large:.0%} of images lose over {LARGE:.0%}. Use image_fit=pad to keep all of it."
        )


def set_fit(processor: Any, fit: ImageFit, base: str | Path) -> None:
    """Let `processor` make its square by `fit`; `as_is` changes nothing.

    `pad`: on a square of the processor's mean colour, as LLaVA-Med does. `stretch`: resized without keeping the
    aspect. `crop`: the middle. Raises ModelError for a processor that makes no square, and for one whose images hold
    more than pixels.
    """
    if fit == "as_is":
        return
    square = square_of(processor)
    if square is None:
        raise ModelError(
            f"policy {shown(base)}: its processor reads images of any shape or in tiles, so image_fit={fit} has no"
            " meaning. Set image_fit=as_is."
        )
    if square.fit == fit:
        return
    part = processor.image_processor
    if set(part(Image.new("RGB", PROBES[0]), return_tensors="np")) != {"pixel_values"}:
        raise ModelError(
            f"policy {shown(base)}: its {name_of(part)} gives more than pixels, so image_fit={fit} cannot replace it."
            f" Set image_fit={square.fit}, which is what it does, or as_is."
        )
    processor.image_processor = _with_fit(part, square.side, fit)


def square_of(processor: Any) -> Square | None:
    """Return the square that `processor` makes of any image, None where shapes decide what it makes (tiles, sizes)."""
    text = str(getattr(processor, "image_token", "<image>"))
    shapes = set()
    for size in PROBES:
        read = processor(images=[[Image.new("RGB", size)]], text=[text], return_tensors="pt")
        shapes.add(tuple(read["pixel_values"].shape))
    found = next(iter(shapes))
    if len(shapes) > 1 or len(found) != 4 or found[0] != 1 or found[2] != found[3]:
        return None
    return Square(found[3], fit_of(processor.image_processor))


def fit_of(part: Any) -> ImageFit:
    """Return how an image processor that makes squares does so."""
    if getattr(part, "do_pad", False):
        return "pad"
    return "crop" if _crops(part) else "stretch"


def crop_loss(part: Any, sizes: Sequence[Size]) -> CropLoss | None:
    """Return what the centre crop of an image processor removes of images of these `sizes`, None where it has none."""
    if getattr(part, "do_pad", False) or not _crops(part) or not sizes:
        return None
    shares = [_share(part, size) for size in sizes]
    large = sum(share > LARGE for share in shares) / len(shares)
    return CropLoss(name_of(part), len(sizes), sum(shares) / len(shares), max(shares), large)


def name_of(part: Any) -> str:
    """Return the name of an image processor as files have it, without the backend."""
    return type(part).__name__.removesuffix("Pil")


def _crops(part: Any) -> bool:
    return bool(getattr(part, "do_center_crop", False) and (getattr(part, "size", None) or {}).get("shortest_edge"))


def _share(part: Any, size: Size) -> float:
    short, (width, height) = part.size["shortest_edge"], size
    scale = short / min(size)
    kept = min(part.crop_size["width"], width * scale) * min(part.crop_size["height"], height * scale)
    return float(1 - kept / (width * scale * height * scale))


def _with_fit(part: Any, side: int, fit: ImageFit) -> LlavaImageProcessorPil:
    """Return LLaVA's image processor with the numbers of `part`: the one class that fits in each of these ways."""
    square = {"height": side, "width": side}
    size = square if fit == "stretch" else {"shortest_edge": side}
    kept = {name: getattr(part, name) for name in KEPT if getattr(part, name, None) is not None}
    return LlavaImageProcessorPil(
        **kept, do_resize=True, do_pad=fit == "pad", size=size, do_center_crop=fit != "stretch", crop_size=square
    )
