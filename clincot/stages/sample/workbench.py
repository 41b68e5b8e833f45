"""The examples of one shard, a method and the loaded models -> the shard's candidates and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain

from clincot import images
from clincot.chain.layout import Display
from clincot.editors.base import Rewrite, RewriteRequest
from clincot.engines.base import Splitting
from clincot.errors import ModelError
from clincot.images.views import Gallery
from clincot.judges.base import CompareRequest, Rating, Verdict
from clincot.judges.cache import Recorded
from clincot.judges.panel import Panel
from clincot.lm.requests import Completion, GenerateRequest
from clincot.lm.work import Work
from clincot.methods import own_faults
from clincot.methods.base import Ask, Compare, Match, Method, Rate
from clincot.progress import notice
from clincot.recipe import Recipe
from clincot.records import Candidate, Example, Hypothesis, Region, View, read_images
from clincot.regions.base import Proposer
from clincot.regions.extract import find_regions
from clincot.regions.kept_maps import kept_map
from clincot.regions.proposing import heat_maps
from clincot.stages.pair.draw import seed_of
from clincot.stages.sample.judged import judged
from clincot.stages.sample.lengths import unfit
from clincot.stages.sample.scheduler import Call, drive
from clincot.stages.sample.serving import Models, runners


@dataclass(frozen=True)
class KeptMap:
    """The heat map of a hypothesis about an image, as the run keeps it for people: a small grey PNG."""

    image_id: str
    hypothesis: str
    map: bytes = field(repr=False)


@dataclass(frozen=True)
class ShardResult:
    """What one shard yields; `drops` counts by reason what gave no candidate, `unreadable` names images left out.

    `hypotheses` holds all that was looked for, found or not; `ratings` what cached judges were asked anew; `rated` how
    many texts judges were asked about, and with how many of them they read a reference or facts of a region.
    """

    candidates: tuple[Candidate, ...]
    hypotheses: tuple[Hypothesis, ...]
    drops: dict[str, int]
    unreadable: tuple[str, ...]
    ratings: tuple[Recorded, ...] = ()
    rated: dict[str, int] = field(default_factory=dict)
    maps: tuple[KeptMap, ...] = ()


@dataclass
class Workbench:
    """The tools (methods/base.py) over loaded models, for the examples of one shard."""

    recipe: Recipe
    round: int
    models: Models
    gallery: Gallery = field(init=False)
    display: Display = field(init=False)
    unreadable: dict[str, str] = field(default_factory=dict)
    regions: dict[str, tuple[Region, ...]] = field(default_factory=dict)
    looked: list[Hypothesis] = field(default_factory=list)
    maps: list[KeptMap] = field(default_factory=list)
    drops: Counter[str] = field(default_factory=Counter)
    rated: Counter[str] = field(default_factory=Counter)

    @property
    def judge_names(self) -> tuple[str, ...]:
        return self.panel.names

    @cached_property
    def panel(self) -> Panel:
        return self.models.panel(self.recipe.build.judging).for_shard()

    @cached_property
    def panels(self) -> tuple[Panel, Panel]:
        """Return all who rate in this shard: the judges, and the critic by itself."""
        return self.panel, self.models.critics(self.recipe.build.judging).for_shard()

    def take_fresh(self) -> tuple[Recorded, ...]:
        """Return what was rated in this shard and not known before; it is forgotten."""
        return tuple(recorded for panel in self.panels for recorded in panel.take_fresh())

    def seed(self, *parts: object) -> int:
        return seed_of(self.recipe, self.round, *parts)

    def size(self, example: Example) -> tuple[int, int]:
        return self.gallery.image(example.id).size

    def token_ends(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        policy = self.models.policy
        if not isinstance(policy, Splitting):
            raise ModelError(
                "models.policy: does not say which tokens a text has. Run it in process (kind: transformers)."
            )
        return policy.token_ends(texts)

    async def propose(self, example: Example) -> tuple[Region, ...]:
        return (await Call("propose", (example,)))[0]

    async def generate(self, example: Example, asks: Sequence[Ask]) -> list[Completion]:
        """Ask policy and base apart, each in one batch; texts come back in the order of `asks`."""
        written: dict[int, Completion] = {}
        for adapter, kind in (("round", "generate"), ("base", "generate_base")):
            places = [place for place, ask in enumerate(asks) if ask.adapter == adapter]
            if places or (adapter == "round" and not asks):
                requests = tuple(self._asked(example, asks[place]) for place in places)
                written |= zip(places, await Call(kind, requests), strict=True)
        return [written[place] for place in range(len(asks))]

    async def judge(self, requests: Sequence[Rate]) -> list[tuple[Rating, ...]]:
        for rate in requests:
            self.rated["texts"] += 1
            self.rated["with_reference"] += rate.reference is not None
            self.rated["with_region"] += rate.region is not None
        return await Call("judge", tuple(judged(rate, self.display) for rate in requests))

    async def rate(self, requests: Sequence[Rate]) -> list[Rating]:
        self._count_shown(requests)
        return await Call("rate", tuple(judged(rate, self.display) for rate in requests))

    async def compare(self, requests: Sequence[Compare]) -> list[Verdict]:
        self._count_shown(requests)
        return await Call("compare", tuple(map(self._compared, requests)))

    def _count_shown(self, requests: Sequence[Rate | Compare]) -> None:
        """Count the requests in which the critic reads a reference."""
        shown = sum(request.reference is not None for request in requests)
        if shown:
            self.rated["critic_with_reference"] += shown

    async def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Rewrite]:
        return await Call("rewrite", tuple(requests))

    async def similarity(self, requests: Sequence[Match]) -> list[float]:
        if requests:
            self.rated["similarities"] += len(requests)
        return await Call("similarity", tuple((self.gallery.show(m.example.id, m.view), m.text) for m in requests))

    def drop(self, reason: str, count: int = 1) -> None:
        self.drops[reason] += count

    def _asked(self, example: Example, ask: Ask) -> GenerateRequest:
        return GenerateRequest(
            messages=tuple(ask.messages),
            images=self.display.images(example.id, ask.views),
            seed=ask.seed,
            temperature=ask.temperature,
            top_p=ask.top_p,
            max_new_tokens=ask.max_new_tokens,
        )

    def _compared(self, compare: Compare) -> CompareRequest:
        seen = self.display.images(compare.example.id, compare.seen)
        texts = (compare.example.question, compare.first, compare.second)
        context = (compare.findings, compare.reference, compare.report)
        return CompareRequest(*texts, *context, images=seen, swap=compare.swap)

    async def look(self, examples: Sequence[Example]) -> None:
        """Decode the images of a shard and find their regions once; `unreadable` gets those that cannot be read.

        The reason for each is a line on stderr. Awaits the proposer's work (lm/work.py).
        """
        self.gallery = Gallery(examples)
        self.display = Display(self.gallery, self.recipe.image_layout)
        looked: set[str] = set()
        one_of: dict[str, Example] = {}
        questions: dict[str, list[str]] = {}
        for example in examples:
            questions.setdefault(example.image_id, []).append(example.question)
            if example.images_id in looked:
                continue
            looked.add(example.images_id)
            if fault := self.gallery.unreadable(example.id):
                notice(f"left out: {fault}")
                self.unreadable[example.images_id] = example.image_label
            else:
                one_of.setdefault(example.image_id, example)
        if self.models.proposer is not None:
            await self._propose_all(self.models.proposer, one_of, questions)

    async def _propose_all(
        self, proposer: Proposer, one_of: dict[str, Example], questions: dict[str, list[str]]
    ) -> None:
        """Look for the hypotheses of every image; `one_of` holds an example of each."""
        decoded = {name: self.gallery.image(one.id) for name, one in one_of.items()}
        count, own = self.recipe.method.hypotheses, self.recipe.hypotheses
        look = partial(heat_maps, proposer, one_of, decoded, questions, count, own)
        asked = await Work(proposer, look, len(one_of))
        for name, maps in asked.items():
            found = [find_regions(decoded[name], heat_map, self.recipe.build.regions) for heat_map in maps]
            self.regions[name] = tuple(region for regions in found for region in regions)
            self.maps += [KeptMap(name, one.hypothesis, kept_map(one.values)) for one in maps]
            self.drop("hypotheses without a region", sum(not regions for regions in found))
            self.looked += [
                Hypothesis(name, heat_map.hypothesis, heat_map.confidence, region, self._crop_id(one_of[name], region))
                for heat_map, regions in zip(maps, found, strict=True)
                for region in regions or (None,)
            ]

    def _crop_id(self, example: Example, region: Region | None) -> str:
        return images.content_id(self.gallery.encode(example.id, View("crop", region))) if region else ""


async def sample_shard(method: Method, examples: Sequence[Example], bench: Workbench) -> ShardResult:
    """Drive `method` over all readable examples of a shard together and return what it sampled; awaits the models."""
    for engine in bench.models.engines:
        engine.forget()
    for panel in bench.panels:
        panel.forget()
    examples = read_images(examples)
    await bench.look(examples)
    odd = unfit(bench.recipe, method, examples, bench.models.rooms)
    seen = [example for example in examples if example.images_id not in bench.unreadable]
    readable = [example for example in seen if example.id not in odd]
    for example in seen:
        if example.id in odd:
            bench.drop(odd[example.id])
    served = runners(method.name, bench.models, bench.panels, bench.regions)
    sampled = await drive([own_faults.sampled(method, example, bench) for example in readable], served)
    # The first steps of all examples come first, as they were sampled together.
    candidates = sorted(chain.from_iterable(sampled), key=lambda candidate: candidate.step)
    return ShardResult(
        candidates=tuple(candidates),
        hypotheses=tuple(bench.looked),
        drops={reason: n for reason, n in sorted(bench.drops.items()) if n},
        unreadable=tuple(bench.unreadable.values()),
        ratings=bench.take_fresh(),
        rated=dict(sorted(bench.rated.items())),
        maps=tuple(bench.maps),
    )
