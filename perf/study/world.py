"""Sizes and a policy's folder -> the drawn images, the recipe of the study and the models, as every row uses them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from clincot import benchmarks, engines, judges, phantom, regions
from clincot.benchmarks.partition import limit, part_of_round
from clincot.phantom.dataset import phantom_files
from clincot.phantom.publish import MODELS
from clincot.phantom.v2.draw import Radiograph
from clincot.phantom.v2.objects import Layout, objects
from clincot.recipe import ModelSource, Recipe, load_recipe
from clincot.records import Example
from clincot.records.lineage import content_key

SHIPPED = Path(phantom.__file__).parent / "models"
STUDY = ("evaluate.controls=[]", "evaluate.resamples=1", "evaluate.max_images=0", "build.max_images=0")
STUDY += ("build.max_questions=0", "method.min_gap=0.001")  # equal scores are no preference
STUDY += ("evaluate.inference=[region, direct]",)


@dataclass(frozen=True)
class Sizes:
    """Images: `part` of each round's part of the training images, `rounds` parts, and of validation and test."""

    part: int
    rounds: int
    validation: int
    test: int

    @property
    def drawn(self) -> dict[str, int]:
        """Return the images of each split."""
        return {"train": 2 * self.part * self.rounds, "validation": self.validation, "test": self.test}


class World:
    """The images and models of the study; `folder` keeps what was drawn."""

    def __init__(self, folder: Path, sizes: Sizes, split: str, overrides: tuple[str, ...] = ()) -> None:
        self.folder, self.sizes, self.split, self.overrides = folder, sizes, split, overrides
        self.data = folder / ("data-" + "-".join(map(str, sizes.drawn.values())))
        if not (self.data / "README.md").is_file():
            phantom_files(self.data, seed=0, version=2, **sizes.drawn)

    def recipe(self, seed: int, *more: str) -> Recipe:
        """Return the study's recipe under a seed, with a row's settings over it."""
        own = (*STUDY, f"rounds={self.sizes.rounds}", *self.overrides)
        return load_recipe("clincot", "phantom-v2", overrides=(*own, f"seed={seed}", *more))

    @cached_property
    def training(self) -> list[Example]:
        return benchmarks.load("phantom-v2").examples(self.data, "train")

    @cached_property
    def asked(self) -> list[Example]:
        """Return the questions of the split that is measured."""
        return benchmarks.load("phantom-v2").examples(self.data, self.split)

    @cached_property
    def bank(self) -> list[Radiograph]:
        """Return the images that the questions are about, with what was drawn in them."""
        return [radiograph(example) for example in {e.image_id: e for e in self.asked}.values()]

    def part(self, seed: int, number: int) -> tuple[Example, ...]:
        """Return the questions of a round's part: the same images in every row of a seed."""
        found = part_of_round(self.training, seed=seed, rounds=self.sizes.rounds, round_=number)
        return tuple(limit(found, max_images=self.sizes.part, max_questions=0))


def layout_of(image_id: str) -> Layout:
    """Return what an image holds, by its id `phantom-v2-SEED-INDEX`."""
    seed, index = image_id.split("-")[2:4]
    return objects(int(seed), int(index))


def radiograph(example: Example) -> Radiograph:
    """Return the drawn image of an example with its layout."""
    pixels = np.asarray(Image.open(BytesIO(example.encoded())).convert("L"))
    return Radiograph(pixels, layout_of(example.image_id))


def folder_of(source: ModelSource) -> Path:
    """Return the folder of a shipped model."""
    return SHIPPED / MODELS[source.repo]


def weights_key(*folders: Path) -> str:
    """Return the key of the exact weights in `folders`."""
    return content_key(
        *(path.read_bytes().hex() for folder in folders for path in sorted(folder.glob("*.safetensors")))
    )


def load_engine(policy: Path, adapter: Path | None, batch_size: int) -> engines.Engine:
    return engines.load("transformers", policy, adapter, batch_size=batch_size, threads=1)


def load_proposer(recipe: Recipe) -> regions.Proposer:
    source = recipe.models.proposer
    if regions.is_model_free(source.kind):
        return regions.load(source.kind, key=source.kind)
    return regions.load(source.kind, folder_of(source), key=source.repo)


def load_judges(recipe: Recipe) -> tuple[judges.Judge, ...]:
    """Load the text judges of the setting."""
    return tuple(_judge("causal_lm", source) for source in recipe.models.judges)


def load_critic(recipe: Recipe) -> tuple[judges.Judge, ...]:
    """Load the critic that sees image and crop."""
    return (_judge("vlm", recipe.models.critic),)


def _judge(kind: str, source: ModelSource) -> judges.Judge:
    return judges.load(kind, folder_of(source), name=source.repo, key=source.repo, batch_size=64, threads=1)


def say(text: str, began: float) -> None:
    print(f"  {text}, {time.process_time() - began:.1f} CPU s", flush=True)
