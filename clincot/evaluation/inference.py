"""Examples, their pictures and a policy -> answers: direct, or by region as in the paper's Figure 1.

By region: hypotheses of the image -> heat maps -> the hypothesis that the question names (else the most confident) ->
its region -> findings -> answer. Everything is greedy, so an answer depends on its example alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from clincot import images, prompts, recipe
from clincot.engines.base import Engine, GenerateRequest
from clincot.hypotheses import hypotheses, named_entities
from clincot.records import Box, Example, Message, Region
from clincot.regions.base import HeatMap, Proposer, Subject
from clincot.regions.extract import find_region

Pictures = Mapping[str, Image.Image]


@dataclass(frozen=True)
class Settings:
    """What decides an answer besides policy and example; `hypotheses` is how many an image gets at most."""

    steps: int
    hypotheses: int
    regions: recipe.Regions
    max_new_tokens: int

    @classmethod
    def of(cls, run: recipe.Recipe) -> Settings:
        return cls(run.build.steps, run.build.candidates, run.build.regions, run.evaluate.max_new_tokens)


@dataclass(frozen=True)
class Answer:
    """A policy's text for an example, and what it looked at; no `box` under region inference means it fell back."""

    example_id: str
    text: str
    findings: tuple[str, ...] = ()
    hypothesis: str | None = None
    box: Box | None = None


def propose(
    examples: Sequence[Example], pictures: Pictures, proposer: Proposer, settings: Settings
) -> dict[str, Region | None]:
    """Return example id -> the region to look at; None where the proposer finds none.

    `examples` must hold all questions of each image, because an image's hypotheses come from all of them.
    """
    questions: dict[str, list[str]] = {}
    for example in examples:
        questions.setdefault(example.image_id, []).append(example.question)
    modality = {example.image_id: example.modality for example in examples}
    names = list(questions)
    known = {example.image_id: example.true_regions for example in examples}
    subjects = [Subject(n, pictures[n], known[n]) for n in names]
    wanted = [hypotheses(modality[n], questions[n], settings.hypotheses, proposer.known) for n in names]
    maps = dict(zip(names, proposer.heat_maps(subjects, wanted), strict=True))
    found: dict[tuple[str, str], Region | None] = {}
    chosen: dict[str, Region | None] = {}
    for example in examples:
        heat_map = choose(example.question, maps[example.image_id])
        if heat_map is None:
            chosen[example.id] = None
            continue
        key = (example.image_id, heat_map.hypothesis)
        if key not in found:
            found[key] = find_region(pictures[example.image_id], heat_map, settings.regions)
        chosen[example.id] = found[key]
    return chosen


def choose(question: str, maps: Sequence[HeatMap]) -> HeatMap | None:
    """Return the map of the first entity that the question names, else the most confident one."""
    by_name = {heat_map.hypothesis: heat_map for heat_map in maps}
    named = (by_name[name] for name in named_entities([question]) if name in by_name)
    return next(named, None) or max(maps, key=lambda heat_map: heat_map.confidence, default=None)


def black(picture: Image.Image) -> Image.Image:
    """Return a black picture of the same size: the control that shows what the image adds."""
    return Image.new("RGB", picture.size)


def answer_directly(
    examples: Sequence[Example], pictures: Pictures, engine: Engine, settings: Settings
) -> list[Answer]:
    """Answer from the global image alone, in one batch."""
    requests = [_request(prompts.direct_messages(e.question), (pictures[e.image_id],), settings) for e in examples]
    texts = engine.generate(requests)
    return [Answer(e.id, completion.text) for e, completion in zip(examples, texts, strict=True)]


def answer_by_region(
    examples: Sequence[Example],
    pictures: Pictures,
    regions: Mapping[str, Region | None],
    engine: Engine,
    settings: Settings,
    *,
    blacken: bool = False,
) -> list[Answer]:
    """Answer step by step from global image and crop; examples without a region are answered directly.

    `blacken` blackens the crops; blacken `pictures` too for the black-image control.
    """
    looking = [(example, region) for example in examples if (region := regions[example.id]) is not None]
    crops = {region.crop: images.decode(region.crop, "crop") for _, region in looking}
    views = [(pictures[e.image_id], black(crops[r.crop]) if blacken else crops[r.crop]) for e, r in looking]
    chains: list[tuple[str, ...]] = [() for _ in looking]
    for step in range(1, settings.steps + 1):
        requests = [
            _request(prompts.step_messages(e.question, chain, step=step, steps=settings.steps), view, settings)
            for (e, _), chain, view in zip(looking, chains, views, strict=True)
        ]
        written = engine.generate(requests)
        chains = [(*chain, completion.text) for chain, completion in zip(chains, written, strict=True)]
    answers = {
        e.id: Answer(e.id, chain[-1], chain[:-1], region.hypothesis, region.box)
        for (e, region), chain in zip(looking, chains, strict=True)
    }
    rest = [example for example in examples if example.id not in answers]
    answers |= {answer.example_id: answer for answer in answer_directly(rest, pictures, engine, settings)}
    return [answers[example.id] for example in examples]


def _request(messages: list[Message], view: tuple[Image.Image, ...], settings: Settings) -> GenerateRequest:
    return GenerateRequest(
        messages=tuple(messages),
        images=view,
        seed=0,
        temperature=0.0,
        top_p=1.0,
        max_new_tokens=settings.max_new_tokens,
    )
