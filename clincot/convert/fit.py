"""An image processor of LLaVA -> the size of what it makes of an image, and the share of images that it crops away."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from clincot.convert.finding import Finding
from clincot.errors import DataError

# What `lost` measures without images: chest radiographs are about as wide as high, slices and limbs are not.
USUAL = ((1024, 1024), (1024, 838), (838, 1024), (1200, 800), (600, 1200))


def pixels(processor: Any, size: int) -> Finding:
    """Compare the pixels that `processor` makes of one image with the `size` of the vision tower."""
    found = processor.image_processor(Image.new("RGB", (40, 30)), return_tensors="np")["pixel_values"].shape
    if tuple(found) != (1, 3, size, size):
        return Finding(
            "pixels", "fails", f"are {tuple(found)}, the tower reads {size} x {size}. Correct size and crop_size."
        )
    return Finding("pixels", "ok", f"{size} x {size}")


def lost(processor: Any, sizes: Sequence[tuple[int, int]]) -> Finding:
    """Return the share of images of these sizes (width, height; none: usual ones) that the centre crop removes."""
    part = processor.image_processor
    if getattr(part, "do_pad", False):
        return Finding("crop", "ok", "nothing is lost: images are padded to a square")
    if not part.do_center_crop or not part.size.get("shortest_edge"):
        return Finding("crop", "warns", "nothing is lost, but images are stretched to a square. Set do_pad.")
    shares = [_share(part, size) for size in sizes or USUAL]
    of = f"{len(sizes)} images" if sizes else f"{len(USUAL)} usual sizes"
    text = f"the centre crop removes {sum(shares) / len(shares):.1%} of {of}, {max(shares):.1%} at most"
    if max(shares) < 0.01:
        return Finding("crop", "ok", text)
    return Finding("crop", "warns", f"{text}. Set do_pad (image_processor_type LlavaImageProcessor).")


def image_sizes(folder: Path) -> list[tuple[int, int]]:
    """Return the sizes (width, height) of the images below `folder`. Raises DataError where there is none."""
    sizes = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with suppress(OSError), Image.open(path) as image:  # another file
                sizes.append(image.size)
    if not sizes:
        raise DataError(f"{folder}: holds no image. Name a folder of images.")
    return sizes


def _share(part: Any, size: tuple[int, int]) -> float:
    short, (width, height) = part.size["shortest_edge"], size
    scale = short / min(size)
    kept = min(part.crop_size["width"], width * scale) * min(part.crop_size["height"], height * scale)
    return float(1 - kept / (width * scale * height * scale))
