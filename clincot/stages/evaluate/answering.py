"""Policies and groups of images -> stored parts of answers; what a finished part holds is never computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path

from clincot.chain.layout import Display
from clincot.engines.base import Engine
from clincot.images.views import Gallery
from clincot.lm.parking import Parking
from clincot.records import Example
from clincot.regions.base import Proposer
from clincot.stages.evaluate.controls import BLACK
from clincot.stages.evaluate.inference import Answer, Regions, Settings, answer_by_region, answer_directly, propose
from clincot.stages.evaluate.predictions import Part, Store
from clincot.stages.evaluate.results import Row

Ways = tuple[tuple[str, str], ...]
Looked = tuple[Gallery, dict[str, str]]


@dataclass(frozen=True)
class PolicyUnderTest:
    """A policy by name ('base', 'round-1'), the key of its exact weights, and how to load it if anything is missing.

    `seen` are the ids of the images it was trained on, None where that is not known.
    """

    name: str
    key: str
    load: Callable[[], Engine]
    seen: frozenset[str] | None = frozenset()


class Group:
    """A few images with all their questions; regions depend on no policy and are kept."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = tuple(examples)
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


@dataclass(frozen=True)
class Answering:
    """How every group of what is `asked` is answered by every policy, and where the parts lie.

    A way is (inference, control).
    """

    settings: Settings
    store: Store
    work: tuple[tuple[Group, Ways], ...]
    proposer: Callable[[], Proposer]
    asked: tuple[Example, ...] = ()

    def look_first(self, policies: Sequence[PolicyUnderTest]) -> None:
        """Find the regions of all parts that are missing, then park the proposer: it and a policy need not share a GPU.

        Raises ModelError for a proposer that cannot be moved.
        """
        lacking = [group for group, ways in self.work if self._lacks_regions(group, ways, policies)]
        for group in lacking:
            gallery, problems = group.look()
            readable = [example for example in group.examples if example.images_id not in problems]
            if readable:
                group.regions(readable, gallery, self.proposer(), self._by_region)
        if lacking:
            Parking().add(self.proposer(), "proposer")

    def _lacks_regions(self, group: Group, ways: Ways, policies: Sequence[PolicyUnderTest]) -> bool:
        return any(
            not self.store.path(policy.key, inference, control, group.examples).is_file()
            for policy in policies
            for inference, control in ways
            if inference == "region"
        )

    @property
    def _by_region(self) -> Settings:
        return replace(self.settings, asking=None)  # a foreign prompt knows no regions, nor the way back from them

    def parts(self, policy: PolicyUnderTest, advance: Callable[[int], None]) -> Iterator[tuple[Row, Part]]:
        """Yield the part of every group and way, computing what is not stored; the policy is loaded at most once."""
        loaded = cache(policy.load)
        for place, (group, ways) in enumerate(self.work):
            self.answer(policy, place, loaded)
            for inference, control in ways:
                yield (
                    Row(policy.name, inference, control),
                    self.store.read(self._path(policy, group, inference, control)),
                )
                advance(len(group.examples))

    def questions(self, place: int) -> int:
        """Return how many answers a group takes: its questions in every way."""
        group, ways = self.work[place]
        return len(group.examples) * len(ways)

    def missing(self, policies: Sequence[PolicyUnderTest]) -> list[tuple[int, int]]:
        """Return the places of policy and group that have a part to compute, one policy after the other."""
        return [
            (number, place)
            for number, policy in enumerate(policies)
            for place, (group, ways) in enumerate(self.work)
            if not all(self._path(policy, group, *way).is_file() for way in ways)
        ]

    def answer(self, policy: PolicyUnderTest, place: int, load: Callable[[], Engine]) -> None:
        """Compute the parts of one group that are not stored."""
        group, ways = self.work[place]

        def forgetful() -> Engine:
            load().forget()
            return load()

        look, engine = cache(group.look), cache(forgetful)
        for inference, control in ways:
            path = self._path(policy, group, inference, control)
            if not path.is_file():
                self.store.write(path, self._answer(group, look, inference, control, engine), group.examples)

    def _path(self, policy: PolicyUnderTest, group: Group, inference: str, control: str) -> Path:
        return self.store.path(policy.key, inference, control, group.examples)

    def _answer(
        self,
        group: Group,
        look: Callable[[], Looked],
        inference: str,
        control: str,
        engine: Callable[[], Engine],
    ) -> Part:
        gallery, problems = look()
        readable = [example for example in group.examples if example.images_id not in problems]
        display = Display(gallery, self.settings.image_layout, dark=control == BLACK)
        answers: list[Answer] = []
        if readable and inference == "direct":
            answers = answer_directly(readable, display, engine(), self.settings)
        elif readable:
            # The control keeps the real regions: only pixels differ between it and its row.
            regions = group.regions(readable, gallery, self.proposer(), self._by_region)
            answers = answer_by_region(readable, display, regions, engine(), self._by_region)
        return Part(tuple(answers), problems)


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
