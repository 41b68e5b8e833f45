"""A group of images, an intervention and a policy -> its answers to what the intervention applies to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from clincot.chain.layout import Display
from clincot.engines.base import Engine
from clincot.images.views import Gallery
from clincot.records import Example
from clincot.stages.evaluate.groups import Group
from clincot.stages.evaluate.inference import (
    Answer,
    Regions,
    Settings,
    answer_after,
    answer_by_region,
    answer_directly,
)
from clincot.stages.evaluate.interventions import (
    CROP_SWAPPED,
    OF_FINDINGS,
    OF_IMAGES,
    ChangedCrops,
    ChangedGallery,
    changed_findings,
)

NOT_APPLIED = "the intervention does not apply"
Elsewhere = Callable[[], tuple[Gallery, Regions]]


@dataclass(frozen=True)
class Seen:
    """A group's readable examples, its images and, by region, where the chain looks without the intervention."""

    group: Group
    gallery: Gallery
    readable: tuple[Example, ...]
    settings: Settings
    regions: Regions = field(default_factory=dict)


def intervened(
    seen: Seen,
    way: tuple[str, str],
    written: Mapping[str, tuple[str, ...]],
    elsewhere: Elsewhere,
    engine: Callable[[], Engine],
) -> Iterator[Answer]:
    """Yield an answer for every readable example; those that the intervention does not apply to fail by NOT_APPLIED.

    `written` are the findings without the intervention, `elsewhere` gives what the chain sees of other images.
    """
    inference, name = way
    if name in OF_FINDINGS:
        answers = _of_findings(seen, name, written, engine)
    elif name in OF_IMAGES:
        answers = _of_images(seen, inference, name, engine)
    else:
        answers = _of_crops(seen, name, elsewhere, engine)
    known = {answer.example_id: answer for answer in answers}
    for example in seen.readable:
        yield known.get(example.id) or Answer(example.id, "", failure=NOT_APPLIED)


def _of_findings(
    seen: Seen, name: str, written: Mapping[str, tuple[str, ...]], engine: Callable[[], Engine]
) -> list[Answer]:
    findings = changed_findings(name, seen.readable, written)
    asked = [example for example in seen.readable if example.id in findings and seen.regions[example.id]]
    display = Display(seen.gallery, seen.settings.image_layout)
    return answer_after(asked, findings, display, seen.regions, engine(), seen.settings) if asked else []


def _of_images(seen: Seen, inference: str, name: str, engine: Callable[[], Engine]) -> list[Answer]:
    gallery = ChangedGallery(seen.readable, name)
    asked = [example for example in seen.readable if gallery.possible(example)]
    if not asked:
        return []
    display = Display(gallery, seen.settings.image_layout)
    if inference == "direct":
        return answer_directly(asked, display, engine(), seen.settings)
    return answer_by_region(asked, display, seen.regions, engine(), seen.settings)


def _of_crops(seen: Seen, name: str, elsewhere: Elsewhere, engine: Callable[[], Engine]) -> list[Answer]:
    """Answer by other crops; a chain that looked nowhere, or would look nowhere in the other image, does not count."""
    other, regions = elsewhere() if name == CROP_SWAPPED else (None, seen.regions)
    asked = [example for example in seen.readable if seen.regions[example.id] and regions.get(example.id)]
    display = ChangedCrops(seen.gallery, seen.settings.image_layout, name, other)
    return answer_by_region(asked, display, regions, engine(), seen.settings) if asked else []
