"""Examples, their pictures and a policy -> answers: direct, or by region as in the paper's Figure 1.

By region: hypotheses of the image -> heat maps -> the hypothesis that the question names (else the most confident) ->
its region -> findings -> answer. Everything is greedy, so an answer depends on its example alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from clincot import recipe
from clincot.chain import prompts
from clincot.chain.hypotheses import hypotheses, named_entities
from clincot.engines.base import Engine
from clincot.images import canvas
from clincot.images.true_regions import shown_regions
from clincot.images.views import render
from clincot.lm.requests import GenerateRequest
from clincot.protocols import Asking
from clincot.records import Box, Example, Message, Region, View
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
    report_tokens: int
    image_layout: recipe.ImageLayout = "separate"
    asking: Asking | None = None

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
            asking=asking,
        )

    def length(self, example: Example, step: int) -> int:
        """Return how many tokens the text of `step` may have: the last one of a report has its own length."""
        whole = example.answer_type == "report" and step == self.steps
        return self.report_tokens if whole else self.max_new_tokens


@dataclass(frozen=True)
class Answer:
    """A policy's text for an example, and what it looked at; no `box` under region inference means it fell back.

    `failure` says why there is no text: the question is too long for the policy. It counts as an empty answer.
    """

    example_id: str
    text: str
    findings: tuple[str, ...] = ()
    hypothesis: str | None = None
    box: Box | None = None
    failure: str = ""


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
    one_of = {example.image_id: example for example in examples}
    subjects = [Subject(n, pictures[n], shown_regions(one_of[n])) for n in names]
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
    """Answer from the global image alone, in one batch; a protocol's own prompt counts here and nowhere else."""
    requests = [
        _request(_direct_prompt(e, settings), (pictures[e.image_id],), _direct_length(e, settings)) for e in examples
    ]
    texts = engine.generate(requests)
    return [Answer(e.id, c.text, failure=c.failure) for e, c in zip(examples, texts, strict=True)]


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
    crops = {(e.image_id, region): render(pictures[e.image_id], View("crop", region)) for e, region in looking}
    if blacken:
        crops = {key: black(crop) for key, crop in crops.items()}
    views = [_view(pictures[e.image_id], crops[e.image_id, region], settings) for e, region in looking]
    chains: list[tuple[str, ...]] = [() for _ in looking]
    failures = [""] * len(looking)
    for step in range(1, settings.steps + 1):
        requests = [
            _request(_step_prompt(e, chain, step, settings), view, settings.length(e, step))
            for (e, _), chain, view in zip(looking, chains, views, strict=True)
        ]
        written = engine.generate(requests)
        chains = [(*chain, completion.text) for chain, completion in zip(chains, written, strict=True)]
        failures = [completion.failure for completion in written]
    answers = {
        e.id: Answer(e.id, chain[-1], chain[:-1], region.hypothesis, region.box, failure)
        for (e, region), chain, failure in zip(looking, chains, failures, strict=True)
    }
    rest = [example for example in examples if example.id not in answers]
    answers |= {answer.example_id: answer for answer in answer_directly(rest, pictures, engine, settings)}
    return [answers[example.id] for example in examples]


def _view(picture: Image.Image, crop: Image.Image, settings: Settings) -> tuple[Image.Image, ...]:
    return (canvas.compose(picture, crop),) if settings.image_layout == "canvas" else (picture, crop)


def _direct_prompt(example: Example, settings: Settings) -> list[Message]:
    if settings.asking is None:
        return prompts.direct_messages(example.question, report=example.answer_type == "report")
    text = settings.asking.text(example.question, example.answer_type)
    return [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}]


def _direct_length(example: Example, settings: Settings) -> int:
    own = settings.asking.max_new_tokens if settings.asking and example.answer_type != "report" else 0
    return own or settings.length(example, settings.steps)


def _step_prompt(example: Example, chain: Sequence[str], step: int, settings: Settings) -> list[Message]:
    return prompts.step_messages(
        example.question,
        chain,
        step=step,
        steps=settings.steps,
        report=example.answer_type == "report",
        images=1 if settings.image_layout == "canvas" else 2,
    )


def _request(messages: list[Message], view: tuple[Image.Image, ...], max_new_tokens: int) -> GenerateRequest:
    return GenerateRequest(
        messages=tuple(messages),
        images=view,
        seed=0,
        temperature=0.0,
        top_p=1.0,
        max_new_tokens=max_new_tokens,
    )
