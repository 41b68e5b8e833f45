"""One image and one question -> answers of the base and of adapters, with where each looked and what it found there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from clincot import benchmarks, images
from clincot.chain.layout import Display
from clincot.engines.hosts import place_fault
from clincot.errors import DataError, RecipeError
from clincot.images.views import Gallery
from clincot.records import Example, Region
from clincot.records.lineage import OwnPin
from clincot.regions.base import Proposer
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
from clincot.stages.evaluate.inference import Answer, Settings, answer_by_region, answer_directly, propose

SHOWN = 512  # pixels of the drawn image's shorter side, at least


@dataclass(frozen=True)
class Asked:
    """What one policy answers; `regions` are all that the proposer found for the question, the best first."""

    policy: str
    answer: Answer
    regions: tuple[Region, ...]


def read_question(run: Run, image: Path, question: str, *, report: bool = False, modality: str = "") -> Example:
    """Return an image file (PNG, JPEG, DICOM, ...) and a question, both checked (`check_asked`), as an example.

    `report`: a whole report is asked for. `modality` chooses the hypotheses; "": that of the run's benchmark.
    """
    data = image.read_bytes()
    return Example(
        id="asked",
        image_id=images.content_id(data),
        image=data,
        question=question.strip(),
        answer="",
        answer_type="report" if report else "open",
        kind="",
        modality=modality or benchmarks.load(run.recipe.benchmark).source.modality,
        reference="",
        image_name=image.name,
    )


def ask(run: Run, example: Example, policies: Sequence[str]) -> list[Asked]:
    """Answer greedily with each policy: `base`, `round-1`, `OWNER/NAME@REV`, or "" for the run's newest adapter.

    Raises RoundError, HubError for an adapter that is absent, RecipeError where a server on another machine would get
    the image.
    """
    _check_places(run)
    chosen = [_adapter(run, name) for name in policies]
    models = run.recipe.models
    pins = model_pins(run, {"policy": models.policy, "proposer": models.proposer})
    settings, gallery = Settings.of(run.recipe), Gallery([example])
    regions: tuple[Region, ...] = ()
    if "region" in run.recipe.evaluate.inference:
        proposer: Proposer = load_proposer(run, run.recipe, pins.get("proposer"))
        regions = propose([example], gallery, proposer, settings)[example.id]
    display, asked = Display(gallery, run.recipe.image_layout), run.recipe.evaluate
    found = []
    for name, adapter in chosen:
        engine = load_policy(run, pins["policy"], adapter, batch_size=1, threads=asked.threads)
        if regions:
            (answer,) = answer_by_region([example], display, {example.id: regions}, engine, settings)
        else:
            (answer,) = answer_directly([example], display, engine, settings)
        found.append(Asked(name, answer, regions))
    return found


def drawing(example: Example, asked: Sequence[Asked]) -> Image.Image:
    """Return the image with the boxes that the answers looked at, enlarged where it is small."""
    image = images.decode(example.encoded(), example.image_label)
    looked = list(dict.fromkeys(looked for one in asked for looked in one.answer.regions))
    return outlined(image, looked, max(1.0, SHOWN / min(image.size)), names=True)


def _adapter(run: Run, name: str) -> tuple[str, Adapter | None]:
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
