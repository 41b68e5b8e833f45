"""Policies and groups of images -> stored parts of answers; what a finished part holds is never computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from clincot.chain.layout import Display
from clincot.engines.base import Engine
from clincot.images.views import Gallery
from clincot.lm.parking import Parking
from clincot.records import Example
from clincot.regions.base import Proposer
from clincot.stages.evaluate.controls import BLACK
from clincot.stages.evaluate.groups import Group, Looked
from clincot.stages.evaluate.inference import Answer, Regions, Settings, answer_by_region, answer_directly
from clincot.stages.evaluate.intervened import Seen, intervened
from clincot.stages.evaluate.interventions import CROP_SWAPPED, INTERVENTIONS, OF_FINDINGS
from clincot.stages.evaluate.predictions import Part, Store
from clincot.stages.evaluate.results import Row

Ways = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PolicyUnderTest:
    """A policy by name ('base', 'round-1'), the key of its exact weights, and how to load it if anything is missing.

    `seen` are the ids of the images it was trained on, None where that is not known.
    """

    name: str
    key: str
    load: Callable[[], Engine]
    seen: frozenset[str] | None = frozenset()


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
        swapped = {group.other: [way for way in ways if way[1] == CROP_SWAPPED] for group, ways in self.work}
        lacking += [other for other, ways in swapped.items() if other and ways and other not in lacking]
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
                self.store.write(path, self._part(policy, group, look, (inference, control), engine), group.examples)

    def _part(
        self,
        policy: PolicyUnderTest,
        group: Group,
        look: Callable[[], Looked],
        way: tuple[str, str],
        engine: Callable[[], Engine],
    ) -> Part:
        if way[1] in INTERVENTIONS:
            return self._intervened(group, look, way, engine, self._path(policy, group, way[0], ""))
        return self._answer(group, look, *way, engine)

    def _path(self, policy: PolicyUnderTest, group: Group, inference: str, control: str) -> Path:
        return self.store.path(policy.key, inference, control, _decide(group, control))

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

    def _intervened(
        self,
        group: Group,
        look: Callable[[], Looked],
        way: tuple[str, str],
        engine: Callable[[], Engine],
        before: Path,
    ) -> Part:
        """Answer what an intervention applies to; `before` is the part of the answers without it."""
        gallery, problems = look()
        readable = tuple(example for example in group.examples if example.images_id not in problems)
        if not readable:
            return Part((), problems)
        by_region = way[0] == "region"
        seen = Seen(group, gallery, readable, self._by_region if by_region else self.settings)
        if by_region:
            seen = replace(seen, regions=group.regions(readable, gallery, self.proposer(), self._by_region))
        written = {a.example_id: a.findings for a in self.store.read(before).answers} if way[1] in OF_FINDINGS else {}
        elsewhere = partial(self._elsewhere, group)
        return Part(tuple(intervened(seen, way, written, elsewhere, engine)), problems)

    def _elsewhere(self, group: Group) -> tuple[Gallery, Regions]:
        """Return what the chain looks at when it is asked the same about the other images."""
        if group.other is None:
            return Gallery(()), {}
        gallery, problems = group.other.look()
        readable = [example for example in group.other.examples if example.images_id not in problems]
        regions = group.other.regions(readable, gallery, self.proposer(), self._by_region) if readable else {}
        return gallery, regions


def _decide(group: Group, control: str) -> Sequence[Example]:
    """Return the examples that decide the answers of a part."""
    return (*group.examples, *group.other.examples) if control == CROP_SWAPPED and group.other else group.examples
