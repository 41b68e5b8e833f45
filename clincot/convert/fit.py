"""An image processor of LLaVA -> the size of what it makes of an image, and the share of images that it crops away."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from clincot.convert.finding import Finding, fails, ok, warns
from clincot.errors import DataError
from clincot.lm.image_fit import crop_loss, fit_of

# What `lost` measures without images: chest radiographs are about as wide as high, slices and limbs are not.
USUAL = ((1024, 1024), (1024, 838), (838, 1024), (1200, 800), (600, 1200))


def pixels(processor: Any, size: int) -> Finding:
    """Compare the pixels that `processor` makes of one image with the `size` of the vision tower."""
    found = processor.image_processor(Image.new("RGB", (40, 30)), return_tensors="np")["pixel_values"].shape
    if tuple(found) != (1, 3, size, size):
        return fails("pixels", f"are {tuple(found)}, the tower reads {size} x {size}. Correct size and crop_size.")
    return ok("pixels", f"{size} x {size}")


def lost(processor: Any, sizes: Sequence[tuple[int, int]]) -> Finding:
    """Return the share of images of these sizes (width, height; none: usual ones) that the centre crop removes."""
    part = processor.image_processor
    if fit_of(part) == "pad":
        return ok("crop", "nothing is lost: images are padded to a square")
    loss = crop_loss(part, sizes or USUAL)
    if loss is None:
        return warns("crop", "nothing is lost, but images are stretched to a square. Use image_fit=pad, or set do_pad.")
    of = f"{len(sizes)} images" if sizes else f"{len(USUAL)} usual sizes"
    text = f"the centre crop removes {loss.mean:.1%} of {of}, {loss.most:.1%} at most"
    if loss.most < 0.01:
        return ok("crop", text)
    return warns("crop", f"{text}. Use image_fit=pad, or set do_pad (image_processor_type LlavaImageProcessor).")


def image_sizes(folder: Path) -> list[tuple[int, int]]:
    """Return the sizes (width, height) of the images below `folder`. Raises DataError for a folder without images."""
    sizes = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with suppress(OSError), Image.open(path) as image:  # another file
                sizes.append(image.size)
    if not sizes:
        raise DataError(f"{folder}: holds no image. Name a folder of images.")
    return sizes
