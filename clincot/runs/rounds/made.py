"""A run and a round -> what its preference data are made from, and the work of building them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from clincot import benchmarks, methods
from clincot.benchmarks.base import Benchmark, Source
from clincot.benchmarks.partition import limit, part_of_round
from clincot.judges.cache import known_key, load_known
from clincot.recipe import Recipe
from clincot.recipe.choices import source_keys
from clincot.recipe.load import key_of
from clincot.records import Example, most_images
from clincot.records.lineage import OwnPin, Pin, content_key
from clincot.runs import releases
from clincot.runs.models import adapters
from clincot.runs.models.adapters import Adapter
from clincot.runs.models.loading import load_models
from clincot.runs.models.pins import benchmark_pins, examples_at, model_pins
from clincot.runs.models.rooms import load_rooms
from clincot.runs.models.served import names_of
from clincot.runs.roles import kinds_of, sources_of
from clincot.runs.run import Run
from clincot.stages.sample.builder import BuildJob
from clincot.stages.sample.serving import Models

RATINGS = "ratings"  # below a run's folder: what judges of finished builds said, one file per tag


@dataclass(frozen=True)
class Made:
    """What a round is made from; `inputs` is the key of all that decides its rows.

    `sampled_from` is the sha256 of the parent's weights, "base", or None for a method that samples from no policy.
    """

    parent: Adapter | None
    source: Source
    pins: dict[str, Pin]
    sampled_from: str | None
    inputs: str

    @property
    def own(self) -> dict[str, OwnPin]:
        """Return the run's own results among it."""
        return {"parent": self.parent.own} if self.parent else {}


def made_of(run: Run, round_: int) -> Made:
    """Pin what the round is made from."""
    on_policy = methods.load(run.recipe.method.name).on_policy
    parent = adapters.of_round(run, round_ - 1) if on_policy else None
    benchmark = benchmarks.load(run.recipe.benchmark)
    pins = _pins(run, benchmark)
    sampled_from = (parent.sha256 if parent else "base") if on_policy else None
    return Made(parent, benchmark.source, pins, sampled_from, inputs_of(run.recipe, pins, sampled_from))


def job_of(run: Run, round_: int, made: Made, tag: str) -> tuple[BuildJob, list[Example]]:
    """Return the work to do under `tag`, and all training examples of the benchmark."""
    every, examples = examples_of(run, run.recipe, made.pins["benchmark"], round_)
    known = load_known(run.folder / RATINGS, releases.tag_of(round_), without=tag)

    def models() -> Models:
        return load_models(run, made.pins, made.parent, known, shown=most_images(examples))

    names = {name: str(pin) for name, pin in made.pins.items()}
    names |= {"sampled from": (made.sampled_from or "no policy")[:12]}
    names |= {"known ratings": known_key(known)[:12] if known else "none"}
    rooms, folder = partial(load_rooms, run, made.pins), run.work(tag, "build")
    return BuildJob(run.recipe, round_, examples, made.inputs, folder, models, names, rooms), every


def inputs_of(recipe: Recipe, pins: Mapping[str, Pin], sampled_from: str | None, *more: object) -> str:
    """Return the content key of what decides a round's pairs; kinds count, as those without a model have no pin."""
    roles = sources_of(recipe)
    sources = roles.values()
    kinds, loads = [source.kind for source in sources], key_of(*(source.load for source in sources))
    asked = (recipe.build, recipe.image_layout, recipe.method, recipe.seed, recipe.rounds, kinds)
    named = ((methods.METHODS, recipe.method.name), (benchmarks.BENCHMARKS, recipe.benchmark))
    code = source_keys(*named, *kinds_of(roles))
    shas = {name: pin.sha for name, pin in pins.items()}
    return content_key(
        *asked, shas, sampled_from, *code, *loads, *recipe.fit_key, *recipe.looked_key, *names_of(roles), *more
    )


def _pins(run: Run, benchmark: Benchmark) -> dict[str, Pin]:
    found = model_pins(run, sources_of(run.recipe))
    return found | benchmark_pins(run.target, benchmark, run.recipe.benchmark_revision)


def examples_of(run: Run, recipe: Recipe, pin: Pin, round_: int) -> tuple[list[Example], tuple[Example, ...]]:
    """Return all training examples of the pinned benchmark, and those that the recipe gives to the round."""
    every = examples_at(run.target, run.benchmark(recipe.benchmark), pin, "train")
    part = part_of_round(every, seed=recipe.seed, rounds=recipe.rounds, round_=round_)
    return every, limit(part, max_images=recipe.build.max_images, max_questions=recipe.build.max_questions)
