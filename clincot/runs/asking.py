"""One image and one question -> answers of the base and of adapters, with where each looked and what it found there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from clincot import benchmarks, images
from clincot.chain.layout import Display
from clincot.engines.base import Engine
from clincot.engines.hosts import place_fault
from clincot.errors import DataError, RecipeError
from clincot.images.views import Gallery
from clincot.recipe import Recipe
from clincot.records import Example, Region
from clincot.records.lineage import OwnPin
from clincot.regions.base import HeatMap, Proposer
from clincot.report.fragments.drawn import outlined
from clincot.runs.checks.asked import BASE, NEWEST
from clincot.runs.checks.rows import ROUND, named
from clincot.runs.models import adapters
from clincot.runs.models.adapters import Adapter
from clincot.runs.models.loading import load_policy, load_proposer
from clincot.runs.models.pins import model_pins
from clincot.runs.releases import tag_of
from clincot.runs.releases.content import own_pin
from clincot.runs.run import Run
from clincot.stages.evaluate.inference import Answer, Settings, answer_by_region, answer_directly, maps_of, regions_in

SHOWN = 512  # pixels of the drawn image's shorter side, at least


@dataclass(frozen=True)
class Asked:
    """What one policy answers; `regions` are all that the proposer found for the question, the best first.

    `maps` are its heat maps, one for each hypothesis, the same for all policies.
    """

    policy: str
    answer: Answer
    regions: tuple[Region, ...]
    maps: tuple[HeatMap, ...] = field(default=(), repr=False)


def read_question(recipe: Recipe, image: Path, question: str, *, report: bool = False, modality: str = "") -> Example:
    """Return an image file (PNG, JPEG, DICOM, ...) and a question, both checked (`check_asked`), as an example.

    `report`: a whole report is asked for. `modality` chooses the hypotheses; "": that of the recipe's benchmark.
    """
    return as_example(recipe, image.read_bytes(), image.name, question, report=report, modality=modality)


def as_example(
    recipe: Recipe, data: bytes, name: str, question: str, *, report: bool = False, modality: str = ""
) -> Example:
    """Return an encoded image and a question as an example (`read_question`); `name` is that of the image's file."""
    return Example(
        id="asked",
        image_id=images.content_id(data),
        image=data,
        question=question.strip(),
        answer="",
        answer_type="report" if report else "open",
        kind="",
        modality=modality or benchmarks.load(recipe.benchmark).source.modality,
        reference="",
        image_name=name,
    )


@dataclass(frozen=True)
class Asking:
    """Loaded models that answer one question after another; `engines` are by what their policies are called.

    Without a `proposer` the whole image is asked.
    """

    recipe: Recipe
    engines: Mapping[str, Engine]
    proposer: Proposer | None

    def ask(self, example: Example) -> list[Asked]:
        """Return the greedy answer of each policy. Raises UnreadableImage."""
        settings, gallery = Settings.of(self.recipe), Gallery([example])
        maps: tuple[HeatMap, ...] = ()
        regions: tuple[Region, ...] = ()
        if self.proposer is not None:
            found = maps_of([example], gallery, self.proposer, settings)
            maps = tuple(found[example.image_id])
            regions = regions_in([example], gallery, found, settings)[example.id]
        display, asked = Display(gallery, self.recipe.image_layout), []
        for name, engine in self.engines.items():
            if regions:
                (answer,) = answer_by_region([example], display, {example.id: regions}, engine, settings)
            else:
                (answer,) = answer_directly([example], display, engine, settings)
            engine.forget()  # the image does not outlive its question
            asked.append(Asked(name, answer, regions, maps))
        return asked


def load_asking(run: Run, policies: Sequence[str]) -> Asking:
    """Load policies and proposer; a policy is `base`, `round-1`, `OWNER/NAME@REV`, or "" for the run's newest adapter.

    Raises RoundError, HubError for an adapter that is absent, RecipeError where a server on another machine would get
    the image.
    """
    _check_places(run)
    chosen = dict(policy_of(run, name) for name in policies)
    recipe, models = run.recipe, run.recipe.models
    pins = model_pins(run, {"policy": models.policy, "proposer": models.proposer})
    by_region = "region" in recipe.evaluate.inference
    proposer = load_proposer(run, recipe, pins.get("proposer")) if by_region else None
    numbers = {"batch_size": 1, "threads": recipe.evaluate.threads}
    engines = {name: load_policy(run, pins["policy"], adapter, **numbers) for name, adapter in chosen.items()}
    return Asking(recipe, engines, proposer)


def drawing(example: Example, asked: Sequence[Asked]) -> Image.Image:
    """Return the image with the boxes that the answers looked at, enlarged where it is small."""
    image = images.decode(example.encoded(), example.image_label)
    looked = list(dict.fromkeys(looked for one in asked for looked in one.answer.regions))
    return outlined(image, looked, max(1.0, SHOWN / min(image.size)), names=True)


def policy_of(run: Run, name: str) -> tuple[str, Adapter | None]:
    """Return what a policy is called, and its adapter."""
    if name == BASE:
        return BASE, None
    if name == NEWEST:
        newest = adapters.all_of(run)
        return (tag_of(newest[-1].round, run.start), newest[-1]) if newest else (BASE, None)
    if match := ROUND.fullmatch(name):
        found = adapters.of_round(run, int(match[1]))
        return tag_of(int(match[1]), run.start), found
    asked = named(name)
    pin = run.target.resolve("model", asked.repo, asked.revision)
    folder = run.target.snapshot(pin)
    if not (folder / adapters.WEIGHTS).is_file():
        raise DataError(f"{pin}: has no {adapters.WEIGHTS}, so it is no adapter. Give the repository of one.")
    own: OwnPin = own_pin(run.target, pin)
    return name, Adapter(0, pin, own, folder, adapters.sha256_of(folder))


def _check_places(run: Run) -> None:
    """Refuse a server elsewhere, whose owner would see the image: nobody has declared that it may go there."""
    models = run.recipe.models
    for role, source in (("policy", models.policy), ("proposer", models.proposer)):
        for endpoint in source.endpoint:
            if fault := place_fault(endpoint, models.trusted_hosts):
                raise RecipeError(
                    f"models.{role}.endpoint: {fault}. The image would go there. Use a server on this machine, or name"
                    " the host in models.trusted_hosts."
                )
