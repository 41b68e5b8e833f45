"""Examples, their images and a policy -> answers: direct, or by region as in the paper's Figure 1.

By region: hypotheses of the image -> heat maps -> the best region (`clincot.chain.looking`) -> findings -> answer.
Everything is greedy, so an answer depends on its example alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from clincot import recipe
from clincot.chain.layout import Display
from clincot.chain.looking import ranked, region_of
from clincot.chain.own_hypotheses import Words
from clincot.chain.steps import Steps, blocks, direct_question, views_of
from clincot.engines.base import Engine
from clincot.images.views import Gallery
from clincot.lm.requests import GenerateRequest
from clincot.protocols import Asking
from clincot.records import Box, Example, Message, Region, whole
from clincot.regions.base import HeatMap, Proposer
from clincot.regions.extract import find_region, find_regions
from clincot.regions.proposing import heat_maps

Regions = Mapping[str, tuple[Region, ...]]
Maps = Mapping[str, Sequence[HeatMap]]


@dataclass(frozen=True)
class Settings:
    """What decides an answer in addition to policy and example; `hypotheses` is how many an image gets at most."""

    steps: int
    hypotheses: int
    regions: recipe.Regions
    max_new_tokens: int
    report_tokens: int
    image_layout: recipe.ImageLayout = "separate"
    look: recipe.Look = "one"
    asking: Asking | None = None
    own: Mapping[str, Words] = field(default_factory=dict)

    @classmethod
    def of(cls, run: recipe.Recipe, asking: Asking | None = None) -> Settings:
        asked = run.evaluate
        return cls(
            steps=run.inference_steps,
            hypotheses=run.inference_hypotheses,
            regions=run.build.regions,
            max_new_tokens=asked.max_new_tokens,
            report_tokens=asked.report_tokens,
            image_layout=run.image_layout,
            look=asked.look,
            asking=asking,
            own=run.hypotheses,
        )

    @property
    def chain(self) -> Steps:
        """Return how the steps are asked, as a build asks them."""
        return Steps(self.steps, self.max_new_tokens, self.report_tokens, self.image_layout)


@dataclass(frozen=True)
class Looked:
    """Where a step of a chain looked."""

    hypothesis: str
    box: Box


@dataclass(frozen=True)
class Answer:
    """A policy's text for an example, and what it looked at; no `box` under region inference means it fell back.

    `hypothesis` and `box` are those of the best region, `regions` what each step looked at.
    `failure` says why there is no text: the question is too long for the policy. It counts as an empty answer.
    """

    example_id: str
    text: str
    findings: tuple[str, ...] = ()
    hypothesis: str | None = None
    box: Box | None = None
    failure: str = ""
    regions: tuple[Looked, ...] = ()


def propose(
    examples: Sequence[Example], gallery: Gallery, proposer: Proposer, settings: Settings
) -> dict[str, tuple[Region, ...]]:
    """Return example id -> the regions to look at, the best first; none where the proposer finds none.

    With `look: one` that is one region of the best map at most: a map without a region is an answer too, and the
    next best is not looked at instead. `examples` must hold all questions of each image, because an image's hypotheses
    come from all of them.
    """
    return regions_in(examples, gallery, maps_of(examples, gallery, proposer, settings), settings)


def maps_of(examples: Sequence[Example], gallery: Gallery, proposer: Proposer, settings: Settings) -> Maps:
    """Return image id -> its heat maps, one for each hypothesis that its questions and modality give."""
    questions: dict[str, list[str]] = {}
    for example in examples:
        questions.setdefault(example.image_id, []).append(example.question)
    one_of = {example.image_id: example for example in examples}
    images = {name: gallery.image(one_of[name].id) for name in questions}
    return heat_maps(proposer, one_of, images, questions, settings.hypotheses, settings.own)


def regions_in(
    examples: Sequence[Example], gallery: Gallery, maps: Maps, settings: Settings
) -> dict[str, tuple[Region, ...]]:
    """Return example id -> the regions of its image's maps that are looked at, the best first (`propose`)."""
    found: dict[tuple[str, str], tuple[Region, ...]] = {}
    chosen: dict[str, tuple[Region, ...]] = {}
    for example in examples:
        best = ranked(example.question, maps[example.image_id], settings.own.get(example.modality))[
            : 1 if settings.look == "one" else None
        ]
        for heat_map in best:
            key = (example.image_id, heat_map.hypothesis)
            if key not in found:
                found[key] = _regions(gallery.image(example.id), heat_map, settings)
        chosen[example.id] = tuple(r for heat_map in best for r in found[example.image_id, heat_map.hypothesis])
    return chosen


def _regions(image: Image.Image, heat_map: HeatMap, settings: Settings) -> tuple[Region, ...]:
    if settings.look == "each":
        return find_regions(image, heat_map, settings.regions)
    region = find_region(image, heat_map, settings.regions)
    return () if region is None else (region,)


def answer_directly(examples: Sequence[Example], display: Display, engine: Engine, settings: Settings) -> list[Answer]:
    """Answer from the whole images alone, in one batch; a protocol's own prompt counts here and nowhere else."""
    requests = [
        _request(_direct_prompt(e, settings), display.images(e.id, whole(e)), _direct_length(e, settings))
        for e in examples
    ]
    texts = engine.generate(requests)
    return [Answer(e.id, c.text, failure=c.failure) for e, c in zip(examples, texts, strict=True)]


def answer_by_region(
    examples: Sequence[Example], display: Display, regions: Regions, engine: Engine, settings: Settings
) -> list[Answer]:
    """Answer step by step from global image and crop; examples without a region are answered directly."""
    looking = [example for example in examples if regions[example.id]]
    chains: list[tuple[str, ...]] = [() for _ in looking]
    seen: list[tuple[Looked, ...]] = [() for _ in looking]
    failures = [""] * len(looking)
    chain = settings.chain
    for step in range(1, settings.steps + 1):
        places = [region_of(step, regions[example.id], settings.look) for example in looking]
        requests = [
            _request(chain.messages(e, step, said), display.images(e.id, views_of(place)), chain.length(e, step))
            for e, said, place in zip(looking, chains, places, strict=True)
        ]
        written = engine.generate(requests)
        chains = [(*said, completion.text) for said, completion in zip(chains, written, strict=True)]
        seen = [(*before, Looked(p.hypothesis, p.box)) for before, p in zip(seen, places, strict=True)]
        failures = [completion.failure for completion in written]
    answers = {
        e.id: Answer(e.id, said[-1], said[:-1], at[0].hypothesis, at[0].box, failure, at)
        for e, said, at, failure in zip(looking, chains, seen, failures, strict=True)
    }
    rest = [example for example in examples if example.id not in answers]
    answers |= {answer.example_id: answer for answer in answer_directly(rest, display, engine, settings)}
    return [answers[example.id] for example in examples]


def answer_after(
    examples: Sequence[Example],
    findings: Mapping[str, tuple[str, ...]],
    display: Display,
    regions: Regions,
    engine: Engine,
    settings: Settings,
) -> list[Answer]:
    """Answer from given `findings` (example id -> those of the steps before the last): the last step alone."""
    chain, step = settings.chain, settings.steps
    places = [region_of(step, regions[example.id], settings.look) for example in examples]
    requests = [
        _request(chain.messages(e, step, findings[e.id]), display.images(e.id, views_of(place)), chain.length(e, step))
        for e, place in zip(examples, places, strict=True)
    ]
    return [
        Answer(e.id, c.text, findings[e.id], place.hypothesis, place.box, c.failure)
        for e, c, place in zip(examples, engine.generate(requests), places, strict=True)
    ]


def _direct_prompt(example: Example, settings: Settings) -> Sequence[Message]:
    if settings.asking is None:
        return direct_question(example, settings.image_layout)
    text = settings.asking.text(example.question, example.answer_type)
    images: list[Message] = [{"type": "image"}] * blocks(len(example.image_ids), settings.image_layout)
    return [{"role": "user", "content": [*images, {"type": "text", "text": text}]}]


def _direct_length(example: Example, settings: Settings) -> int:
    own = settings.asking.max_new_tokens if settings.asking and example.answer_type != "report" else 0
    return own or settings.chain.length(example, settings.steps)


def _request(messages: Sequence[Message], shown: tuple[Image.Image, ...], max_new_tokens: int) -> GenerateRequest:
    return GenerateRequest(
        messages=tuple(messages),
        images=shown,
        seed=0,
        temperature=0.0,
        top_p=1.0,
        max_new_tokens=max_new_tokens,
    )
