"""The examples of one unit, a method and the loaded models -> the unit's pairs, candidates and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL.Image import Image

from clincot import images
from clincot.engines.base import Completion, Engine, GenerateRequest
from clincot.errors import UnreadableImage
from clincot.hypotheses import hypotheses
from clincot.judges.base import Judge, JudgeRequest, Rating
from clincot.lineage import content_key
from clincot.methods._scheduler import Call, Runner, drive
from clincot.methods.base import Ask, Method
from clincot.recipe import Recipe
from clincot.records import Candidate, Example, PreferencePair, Region
from clincot.regions.base import Proposer, Subject
from clincot.regions.extract import find_region


@dataclass(frozen=True)
class Models:
    """The loaded models of a build: this round's policy, the proposer and the judges."""

    policy: Engine
    proposer: Proposer
    judges: tuple[Judge, ...]


@dataclass(frozen=True)
class UnitResult:
    """What one unit yields; `drops` counts by reason what gave no pair, `unreadable` names images that were skipped."""

    pairs: tuple[PreferencePair, ...]
    candidates: tuple[Candidate, ...]
    drops: dict[str, int]
    unreadable: tuple[str, ...]


@dataclass
class Workbench:
    """The tools (methods/base.py) over loaded models, for the examples of one unit."""

    recipe: Recipe
    round: int
    models: Models
    pictures: dict[str, Image] = field(default_factory=dict)
    regions: dict[str, tuple[Region, ...]] = field(default_factory=dict)
    crops: dict[bytes, Image] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    drops: Counter[str] = field(default_factory=Counter)

    @property
    def judge_names(self) -> tuple[str, ...]:
        return tuple(judge.name for judge in self.models.judges)

    def seed(self, *parts: object) -> int:
        return int(content_key(self.recipe.seed, self.round, *parts)[:15], 16)

    async def propose(self, example: Example) -> tuple[Region, ...]:
        return (await Call("propose", (example,)))[0]

    async def generate(self, example: Example, asks: Sequence[Ask]) -> list[Completion]:
        build = self.recipe.build
        requests = [
            GenerateRequest(
                messages=ask.messages,
                images=self._views(example, ask.region),
                seed=ask.seed,
                temperature=build.temperature,
                top_p=build.top_p,
                max_new_tokens=build.max_new_tokens,
            )
            for ask in asks
        ]
        return await Call("generate", tuple(requests))

    async def judge(self, requests: Sequence[JudgeRequest]) -> list[tuple[Rating, ...]]:
        return await Call("judge", tuple(requests))

    def keep(self, candidates: Sequence[Candidate]) -> None:
        self.candidates += candidates

    def drop(self, reason: str) -> None:
        self.drops[reason] += 1

    def _views(self, example: Example, region: Region | None) -> tuple[Image, ...]:
        picture = self.pictures[example.image_id]
        if region is None:
            return (picture,)
        if region.crop not in self.crops:
            self.crops[region.crop] = images.decode(region.crop, f"crop of {example.image_id}")
        return (picture, self.crops[region.crop])

    def look(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """Decode the unit's images and find their regions once; return the names of images that cannot be read."""
        unreadable = []
        questions: dict[str, list[str]] = {}
        for example in examples:
            questions.setdefault(example.image_id, []).append(example.question)
            if example.image_id in self.pictures or example.image_id in unreadable:
                continue
            try:
                self.pictures[example.image_id] = images.decode(example.image, example.image_id)
            except UnreadableImage:
                unreadable.append(example.image_id)
        self._propose_all({e.image_id: e for e in examples}, questions)
        return tuple(unreadable)

    def _propose_all(self, one_of: dict[str, Example], questions: dict[str, list[str]]) -> None:
        """Look for the hypotheses of every image; `one_of` holds any example of it."""
        build, known = self.recipe.build, self.models.proposer.known
        names = list(self.pictures)
        wanted = [hypotheses(one_of[name].modality, questions[name], build.candidates, known) for name in names]
        subjects = [Subject(name, self.pictures[name], one_of[name].true_regions) for name in names]
        maps = self.models.proposer.heat_maps(subjects, wanted)
        for name, heat_maps in zip(names, maps, strict=True):
            found = [find_region(self.pictures[name], heat_map, build.regions) for heat_map in heat_maps]
            self.regions[name] = tuple(region for region in found if region is not None)
            self.drops["hypotheses without a region"] += sum(region is None for region in found)


def run_unit(method: Method, examples: Sequence[Example], bench: Workbench) -> UnitResult:
    """Drive `method` over all readable examples of a unit together."""
    bench.models.policy.forget()
    unreadable = bench.look(examples)
    readable = [example for example in examples if example.image_id in bench.pictures]
    judges = bench.models.judges
    runners: dict[str, Runner] = {
        "propose": lambda asked: [bench.regions[example.image_id] for example in asked],
        "generate": bench.models.policy.generate,
        "judge": lambda asked: list(zip(*(judge.rate(asked) for judge in judges), strict=True)),
    }
    results = drive([method(example, bench) for example in readable], runners)
    return UnitResult(
        pairs=tuple(pair for pairs in results for pair in pairs),
        candidates=tuple(bench.candidates),
        drops={reason: n for reason, n in sorted(bench.drops.items()) if n},
        unreadable=unreadable,
    )
