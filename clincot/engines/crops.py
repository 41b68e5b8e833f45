"""Loaded engines and the examples of a run -> a line for each processor that crops images away, with the share lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from clincot import images
from clincot.engines.base import Engine
from clincot.lm.image_fit import CropLoss, Size
from clincot.progress import notice
from clincot.records import Example

MOST = 2000  # images whose headers are read; a share needs no more
SEEN = 0.01  # of an image: rounding alone crops less


@runtime_checkable
class Cropping(Protocol):
    """An engine that knows what its processor crops away."""

    def crop_loss(self, sizes: Sequence[Size]) -> CropLoss | None:
        """Return what is lost of images of these sizes (width, height), None where the processor does not crop."""
        ...


def report_crops(engines: Iterable[Engine], examples: Sequence[Example]) -> None:
    """Say on stderr what the processors of `engines` crop away of the images; reads headers, decodes no pixels."""
    cropping = [engine for engine in engines if isinstance(engine, Cropping) and engine.crop_loss([(1, 2)])]
    if not cropping:
        return
    sizes = image_sizes(examples)
    losses = [engine.crop_loss(sizes) for engine in cropping]
    for line in dict.fromkeys(str(loss) for loss in losses if loss is not None and loss.most > SEEN):
        notice(line)


def image_sizes(examples: Sequence[Example]) -> list[Size]:
    """Return the sizes (width, height) of the distinct images of `examples`, of MOST evenly spread ones at most."""
    found = list({example.image_id: example for example in examples}.values())
    some = found[:: -(-len(found) // MOST) or 1]
    grids = (images.grid_of(example.encoded()) for example in some)
    return [grid.shown for grid in grids if grid is not None]
