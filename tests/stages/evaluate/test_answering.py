"""Groups of images: what is kept of them between policies."""

from __future__ import annotations

import tracemalloc

import numpy as np
from PIL import Image

from clincot.images import encode_png
from clincot.recipe import Regions
from clincot.records import Example
from clincot.regions.center import Center
from clincot.stages.evaluate.groups import groups
from clincot.stages.evaluate.inference import Settings


class Counted(Center):
    """The central box, and how often it was asked for."""

    asked = 0

    def heat_maps(self, subjects, hypotheses):  # type: ignore[no-untyped-def]
        self.asked += 1
        return super().heat_maps(subjects, hypotheses)


def test_regions_are_looked_for_once_and_no_pixels_stay_in_memory() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    film = encode_png(Image.fromarray(noise))
    asked = [Example(f"e{i}", "film", film, f"question {i}?", "yes", "closed", "kind", "ct", "yes") for i in range(2)]
    (group,) = groups(asked, 8)
    gallery, problems = group.look()
    proposer, settings = Counted("key"), Settings(1, 2, Regions(), 8, 8)
    tracemalloc.start()
    first = group.regions(asked, gallery, proposer, settings)
    again = group.regions(asked, gallery, proposer, settings)
    (region,) = first["e0"]
    assert not problems and proposer.asked == 1
    assert first == again and first["e1"] == (region,)
    size = (region.box.right - region.box.left) * (region.box.lower - region.box.upper)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 90_000 and held < size  # pixels would be three bytes each; what is loaded on first use takes 70 kB
