"""Examples -> groups of a few images with all their questions, and the same questions about other images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from clincot.images.views import Gallery
from clincot.records import Example
from clincot.regions.base import Proposer
from clincot.stages.evaluate.inference import Regions, Settings, propose

Looked = tuple[Gallery, dict[str, str]]


class Group:
    """A few images with all their questions; regions depend on no policy and are kept.

    `other`: the same questions about other images (`other_images`), for what is swapped.
    """

    def __init__(self, examples: Sequence[Example], other: Group | None = None) -> None:
        self.examples = tuple(examples)
        self.other = other
        self._regions: Regions | None = None

    def look(self) -> Looked:
        """Decode the images: a gallery of them, and `Example.images_id` -> problem of those that cannot be read."""
        gallery = Gallery(self.examples)
        one_of = {example.images_id: example for example in self.examples}
        found = {name: gallery.unreadable(shown.id) for name, shown in one_of.items()}
        return gallery, {name: problem for name, problem in found.items() if problem}

    def regions(self, readable: Sequence[Example], gallery: Gallery, proposer: Proposer, settings: Settings) -> Regions:
        """Return example id -> the regions to look at, looked for once."""
        if self._regions is None:
            self._regions = propose(readable, gallery, proposer, settings)
        return self._regions


def groups(examples: Sequence[Example], size: int) -> Iterator[Group]:
    """Put `size` images with all their questions into each group, in order."""
    by_image: dict[str, list[Example]] = {}
    for example in examples:
        by_image.setdefault(example.image_id, []).append(example)
    questions = iter(by_image.values())
    while some := list(islice(questions, max(size, 1))):
        yield Group([example for one in some for example in one])


def other_images(group: Group, shown: Mapping[str, Example]) -> Group:
    """Return the group's questions about the images that replace its own (`controls.shuffled`).

    Regions and modality are those of the image that is shown, so the chain looks at it as it would at any image.
    """
    swapped = []
    for example in group.examples:
        other = shown[example.image_id]
        swapped.append(
            replace(
                example,
                image=other.image,
                more=other.more,
                image_id=other.image_id,
                true_regions=other.true_regions,
                modality=other.modality,
                image_name=other.image_name,
            )
        )
    return Group(swapped)
