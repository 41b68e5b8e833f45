"""An example, whose true regions lie on its stored pixels -> its true regions on the image that is shown."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache

from PIL import Image

from clincot import images
from clincot.images.square import Grid
from clincot.records import Example, TrueRegion
from clincot.records.stored_images import ImageFile, StoredImage


def shown_regions(example: Example) -> tuple[TrueRegion, ...]:
    """Return the regions of `example` in pixels of what `clincot.images.decode` gives of its image.

    Boxes and masks refer to the stored pixels (`TrueRegion`). Where these are not square, the image is resampled, and
    so are they. A mask of another size than the stored image is returned as it is: it may be of the shown size.
    """
    return _shown(example.image, example.true_regions) if example.true_regions else ()


@lru_cache(8)  # three measures ask for the same image one after another
def _shown(image: bytes | StoredImage | ImageFile, regions: tuple[TrueRegion, ...]) -> tuple[TrueRegion, ...]:
    grid = images.grid_of(image if isinstance(image, bytes) else image.read())
    if grid is None or grid.shown == grid.stored:
        return regions
    return tuple(_on(grid, region) for region in regions)


def _on(grid: Grid, region: TrueRegion) -> TrueRegion:
    mask = region.mask
    if mask is not None:
        resampled = grid.mask(Image.open(io.BytesIO(mask)).convert("L"))
        mask = images.encode_png(resampled)
    return replace(region, box=grid.box(region.box), mask=mask)
