"""Examples whose true regions are known -> statements about crops with the right and the wrong reading of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image

from clincot.chain.hypotheses import is_organ
from clincot.chain.steps import views_of
from clincot.images.true_regions import shown_regions
from clincot.images.views import Gallery
from clincot.methods.base import Rate
from clincot.metrics.scoring.grounding import against_boxes
from clincot.recipe import Regions
from clincot.records import Box, Example, Region, TrueRegion
from clincot.records.lineage import content_key
from clincot.regions.extract import grown
from clincot.stages.sample.labelled import Labelled, with_images


def labelled_regions(
    examples: Sequence[Example], count: int, seed: int, settings: Regions, *, images: bool = True
) -> list[tuple[Labelled, Rate]]:
    """Return up to `count` regions in an order drawn by `seed`, two of an image, each with two statements.

    The first region shows a finding that the benchmark knows; the second, of the same size, is its mirror image and
    shows none. "Nodule is seen here." is right of the first and wrong of the second. So a judge that cannot see has
    half of the regions right, by any preference. Images whose mirrored region meets a known one are left out.
    """
    found: list[tuple[Labelled, Rate]] = []
    one_of = {example.image_id: example for example in examples if any(map(_is_finding, example.true_regions))}
    for example in sorted(one_of.values(), key=lambda one: content_key(seed, one.image_id)):
        if len(found) + 2 > count:
            break
        (read,) = with_images([Labelled(example, "", "")])
        gallery = Gallery([read.example])
        if not gallery.unreadable(example.id):
            found += _both(read.example, gallery.image(example.id), settings, images)
    return found


def _both(example: Example, image: Image.Image, settings: Regions, images: bool) -> Iterator[tuple[Labelled, Rate]]:
    """Yield a region that shows a finding and one that shows none; nothing where there is no such pair."""
    known = [region for region in shown_regions(example) if _is_finding(region)]
    for region in known:
        there = grown(region.box, image.size, settings.padding, settings.least_side)
        boxes = [one.box for one in known]
        away = next((box for box in _mirrored(there, image.size) if not against_boxes(box, boxes).both), None)
        if away is None:
            continue
        name = region.finding.lower()
        seen, unseen = f"{name.capitalize()} is seen here.", f"No {name} is seen here."
        for box, right, wrong in ((there, seen, unseen), (away, unseen, seen)):
            views = views_of(Region(name, box, 1.0)) if images else ()
            yield Labelled(example, right, wrong), Rate(example, "", reference=example.reference, views=views)
        return


def _is_finding(region: TrueRegion) -> bool:
    return not is_organ(region.finding)  # an organ is seen in every image, so it says nothing


def _mirrored(box: Box, size: tuple[int, int]) -> tuple[Box, ...]:
    """Return the box on the other side, then those above or below both."""
    width, height = size
    beside = Box(width - box.right, box.upper, width - box.left, box.lower)
    return beside, *(Box(b.left, height - b.lower, b.right, height - b.upper) for b in (beside, box))
